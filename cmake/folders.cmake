# SPDX-License-Identifier: Apache-2.0
# The folders of src/. What each may use stands in cmake/arrows.txt, for the
# linker (here, with all that those use in turn) and for scripts/lint.sh.
#
# th_<folder> is an object library of the folder's *.c, except
#   *_test.c      one executable each (testing.cmake)
#   *_testing.c   helpers that only tests link
#   *_mimalloc.c  only in a build with mimalloc
#   cli/main.c    the command's own, so that tests can link the rest
# A folder that holds no source yet is skipped.
set(theater_folders base queue messaging sched)
if(THEATER_ENGINE)
    list(APPEND theater_folders wasm runtime handlers_message_server
        handlers_runtime cli)
endif()

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/cmake/arrows.txt")
file(STRINGS "${PROJECT_SOURCE_DIR}/cmake/arrows.txt" arrows REGEX "^folder ")
# The table goes from the bottom up: what is used stands above its user.
foreach(arrow IN LISTS arrows)
    string(REGEX MATCH "^folder ([a-z_]+): *(.*)$" matched "${arrow}")
    set(folder ${CMAKE_MATCH_1})
    string(REPLACE " " ";" used "${CMAKE_MATCH_2}")
    set(theater_uses_${folder} "")
    foreach(one IN LISTS used)
        if(NOT DEFINED theater_uses_${one})
            message(FATAL_ERROR "cmake/arrows.txt: ${folder} uses ${one}, "
                "which does not stand above it")
        endif()
        list(APPEND theater_uses_${folder} ${theater_uses_${one}} ${one})
    endforeach()
    list(REMOVE_DUPLICATES theater_uses_${folder})
endforeach()
# It includes public headers alone, but is linked with everything.
set(theater_uses_cli base queue messaging sched wasm runtime handlers_runtime
    handlers_message_server)

# Host functions run on the guest's stack, which is small: none of the engine's
# frames may be large, but of those that only ever run on a thread's own stack.
if(NOT THEATER_SANITIZE)
    set(theater_options_wasm -Wframe-larger-than=4096)
    set_source_files_properties("${PROJECT_SOURCE_DIR}/src/wasm/code_file.c"
        PROPERTIES COMPILE_OPTIONS -Wno-frame-larger-than)
endif()

# What each folder is linked with from outside.
set(theater_links_base th_malloc Threads::Threads)
if(THEATER_ENGINE)
    set(theater_links_wasm th_wasmtime)
endif()

function(theater_folder_path folder out_path)
    string(REGEX REPLACE "^handlers_" "handlers/" path "${folder}")
    set(${out_path} "${PROJECT_SOURCE_DIR}/src/${path}" PARENT_SCOPE)
endfunction()

# The files of a folder: out_sources for the library, out_tests one executable
# each, out_helpers for tests alone.
function(theater_folder_files folder out_sources out_tests out_helpers)
    theater_folder_path(${folder} path)
    file(GLOB sources CONFIGURE_DEPENDS "${path}/*.c")
    set(tests ${sources})
    set(helpers ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.c$")
    list(FILTER helpers INCLUDE REGEX "_testing\\.c$")
    list(FILTER sources EXCLUDE REGEX "_(test|testing)\\.c$")
    list(FILTER sources EXCLUDE REGEX "/cli/main\\.c$")
    if(NOT theater_mimalloc)
        list(FILTER sources EXCLUDE REGEX "_mimalloc\\.c$")
    endif()
    set(${out_sources} ${sources} PARENT_SCOPE)
    set(${out_tests} ${tests} PARENT_SCOPE)
    set(${out_helpers} ${helpers} PARENT_SCOPE)
endfunction()

foreach(folder IN LISTS theater_folders)
    theater_folder_files(${folder} sources tests helpers)
    if(sources)
        add_library(th_${folder} OBJECT ${sources})
        target_link_libraries(th_${folder} PRIVATE th_flags th_hardening
            ${theater_links_${folder}})
        target_compile_options(th_${folder} PRIVATE
            ${theater_options_${folder}})
    endif()
    if(helpers)
        add_library(th_${folder}_testing OBJECT ${helpers})
        target_link_libraries(th_${folder}_testing PRIVATE th_flags
            th_cmocka ${theater_links_${folder}})
    endif()
endforeach()

# Link a program with folders and with all that they may use.
function(theater_link_folders target)
    set(all "")
    foreach(folder IN LISTS ARGN)
        list(APPEND all ${theater_uses_${folder}} ${folder})
    endforeach()
    list(REMOVE_DUPLICATES all)
    foreach(folder IN LISTS all)
        if(TARGET th_${folder})
            target_link_libraries(${target} PRIVATE th_${folder})
        endif()
        target_link_libraries(${target} PRIVATE ${theater_links_${folder}})
    endforeach()
endfunction()

# Link a test's helpers (*_testing.c) of folders and of all that they may use.
function(theater_link_helpers target)
    set(all "")
    foreach(folder IN LISTS ARGN)
        list(APPEND all ${theater_uses_${folder}} ${folder})
    endforeach()
    list(REMOVE_DUPLICATES all)
    foreach(folder IN LISTS all)
        if(TARGET th_${folder}_testing)
            target_link_libraries(${target} PRIVATE th_${folder}_testing)
        endif()
    endforeach()
endfunction()

# Every sub-folder of the named folders that has a CMakeLists.txt, after the
# named folder's own. CONFIGURE_DEPENDS: a folder that appears is picked up.
function(theater_add_folders)
    foreach(parent IN LISTS ARGN)
        if(parent STREQUAL "tests" AND NOT THEATER_TESTS)
            continue()
        endif()
        if(parent STREQUAL "examples" AND NOT COMMAND theater_wasm_actor)
            continue()
        endif()
        if(EXISTS "${PROJECT_SOURCE_DIR}/${parent}/CMakeLists.txt")
            add_subdirectory(${parent})
        endif()
        file(GLOB lists CONFIGURE_DEPENDS
            "${PROJECT_SOURCE_DIR}/${parent}/*/CMakeLists.txt")
        foreach(list IN LISTS lists)
            get_filename_component(path "${list}" DIRECTORY)
            get_filename_component(name "${path}" NAME)
            add_subdirectory("${path}"
                "${PROJECT_BINARY_DIR}/${parent}/${name}")
        endforeach()
    endforeach()
endfunction()
