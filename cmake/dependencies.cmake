# SPDX-License-Identifier: Apache-2.0
# What the project is linked with: threads, mimalloc, Wasmtime, cmocka. No
# network: what is missing is named, with the way to get it.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# th_malloc: the allocator of the process. Under a sanitizer it is libc's,
# which the sanitizer replaces with its own.
add_library(th_malloc INTERFACE)
set(theater_mimalloc OFF)
if(THEATER_MIMALLOC AND NOT THEATER_SANITIZE)
    find_package(mimalloc QUIET CONFIG)
    if(NOT mimalloc_FOUND)
        message(FATAL_ERROR "mimalloc is missing (Debian: libmimalloc-dev); "
            "-DTHEATER_MIMALLOC=OFF builds with libc's malloc")
    endif()
    target_link_libraries(th_malloc INTERFACE mimalloc)
    target_compile_definitions(th_malloc INTERFACE TH_MIMALLOC=1)
    set(theater_mimalloc ON)
endif()

if(THEATER_TESTS)
    find_path(TH_CMOCKA_INCLUDE cmocka.h)
    find_library(TH_CMOCKA_LIBRARY cmocka)
    mark_as_advanced(TH_CMOCKA_INCLUDE TH_CMOCKA_LIBRARY)
    if(NOT TH_CMOCKA_INCLUDE OR NOT TH_CMOCKA_LIBRARY)
        message(FATAL_ERROR "cmocka is missing (Debian: libcmocka-dev); "
            "-DTHEATER_TESTS=OFF builds without tests")
    endif()
    add_library(th_cmocka INTERFACE)
    target_include_directories(th_cmocka SYSTEM INTERFACE
        "${TH_CMOCKA_INCLUDE}")
    target_link_libraries(th_cmocka INTERFACE "${TH_CMOCKA_LIBRARY}")
endif()

if(THEATER_ENGINE)
    include(wasmtime)
endif()
