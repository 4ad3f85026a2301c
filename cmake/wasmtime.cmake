# SPDX-License-Identifier: Apache-2.0
# th_wasmtime: the engine's C API. deps/build-wasmtime.sh knows where to look
# (THEATER_WASMTIME_ROOT or WASMTIME_ROOT, its cache, the system) and what is
# usable (the line that we are pinned to, with the features that we need).
# Other inputs, another engine: configure again, so that none is used stale.
foreach(input Cargo.toml Cargo.lock src/lib.rs)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        "${PROJECT_SOURCE_DIR}/deps/wasmtime/${input}")
endforeach()
set(theater_wasmtime_env "")
if(THEATER_WASMTIME_ROOT)
    set(theater_wasmtime_env "WASMTIME_ROOT=${THEATER_WASMTIME_ROOT}")
endif()
execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env ${theater_wasmtime_env}
        "${PROJECT_SOURCE_DIR}/deps/build-wasmtime.sh" --find
    RESULT_VARIABLE theater_wasmtime_status
    OUTPUT_VARIABLE theater_wasmtime_root
    ERROR_VARIABLE theater_wasmtime_why
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
if(NOT theater_wasmtime_status EQUAL 0)
    message(FATAL_ERROR "${theater_wasmtime_why}\n"
        "deps/build-wasmtime.sh builds it once; -DTHEATER_ENGINE=OFF builds "
        "and tests what needs no engine.")
endif()
find_library(theater_wasmtime_library NAMES libwasmtime.a wasmtime NO_CACHE
    PATHS "${theater_wasmtime_root}/lib" NO_DEFAULT_PATH
    PATH_SUFFIXES "${CMAKE_LIBRARY_ARCHITECTURE}" REQUIRED)
message(STATUS "Wasmtime: ${theater_wasmtime_library}")

add_library(th_wasmtime INTERFACE)
target_include_directories(th_wasmtime SYSTEM INTERFACE
    "${theater_wasmtime_root}/include")
target_link_libraries(th_wasmtime INTERFACE "${theater_wasmtime_library}"
    Threads::Threads ${CMAKE_DL_LIBS} m)
