# SPDX-License-Identifier: Apache-2.0
# What a user links: theater::messaging (the router alone), theater::theater
# (all but the command) and the command `theater`.

#
# Each exists twice, from the same objects, which are position-independent: a
# static library, which the command and the tests link, and a shared one, which
# shows theater_ symbols alone. In another project BUILD_SHARED_LIBS decides
# which of them theater::theater is; here it decides which ones are installed:
# ON the shared ones, OFF the static ones, and both where nobody said.
set(theater_static_libraries ON)
set(theater_shared_libraries ON)
if(DEFINED BUILD_SHARED_LIBS)
    set(theater_shared_libraries ${BUILD_SHARED_LIBS})
    if(BUILD_SHARED_LIBS)
        set(theater_static_libraries OFF)
    endif()
elseif(NOT theater_is_top)
    set(theater_shared_libraries OFF)
endif()
# A sanitizer's own symbols are not for a shared library to hide.
if(THEATER_SANITIZE)
    set(theater_static_libraries ON)
    set(theater_shared_libraries OFF)
endif()
set(theater_symbols "${PROJECT_SOURCE_DIR}/cmake/theater.map")

# theater_library(TARGET OUTPUT ALIAS FOLDERS...): TARGET, TARGET_shared.
function(theater_library target output alias)
    set(objects "")
    set(links th_malloc)
    foreach(folder IN LISTS ARGN)
        if(TARGET th_${folder})
            list(APPEND objects $<TARGET_OBJECTS:th_${folder}>)
            list(APPEND links ${theater_links_${folder}})
        endif()
    endforeach()
    list(REMOVE_DUPLICATES links)
    list(REMOVE_ITEM links Threads::Threads)
    set(kinds STATIC)
    if(theater_shared_libraries)
        list(APPEND kinds SHARED)
    endif()
    foreach(kind IN LISTS kinds)
        set(library ${target})
        set(reach PUBLIC)
        if(kind STREQUAL "SHARED")
            set(library ${target}_shared)
            set(reach PRIVATE)
        endif()
        add_library(${library} ${kind} ${objects})
        set_target_properties(${library} PROPERTIES OUTPUT_NAME ${output}
            LINKER_LANGUAGE C
            ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}"
            LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
        target_include_directories(${library} PUBLIC
            "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
            "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
        target_link_libraries(${library} ${reach} Threads::Threads
            "$<BUILD_INTERFACE:${links}>")
        target_link_options(${library} ${reach} ${theater_sanitize_options}
            "$<BUILD_INTERFACE:${theater_harden_link}>"
            "$<BUILD_INTERFACE:${theater_lto_quiet}>")
    endforeach()
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${alias}_static)
    if(theater_shared_libraries)
        set_target_properties(${target}_shared PROPERTIES
            EXPORT_NAME ${alias} VERSION ${PROJECT_VERSION}
            SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS "${theater_symbols}")
        target_link_options(${target}_shared PRIVATE ${theater_lto_link}
            "LINKER:--version-script=${theater_symbols}"
            "LINKER:-Bsymbolic-functions,--gc-sections,-z,defs")
        # The engine's signal handlers stay with the process: so does the code.
        target_link_options(${target}_shared PRIVATE "LINKER:-z,nodelete")
    endif()
    if(BUILD_SHARED_LIBS AND theater_shared_libraries)
        add_library(theater::${alias} ALIAS ${target}_shared)
    else()
        add_library(theater::${alias} ALIAS ${target})
    endif()
endfunction()

if(TARGET th_messaging)
    theater_library(theater_messaging theater-messaging messaging base queue
        messaging)
endif()

if(TARGET th_runtime)
    theater_library(theater_all theater theater base queue messaging sched wasm
        runtime handlers_message_server handlers_runtime)
endif()

set(theater_main "${PROJECT_SOURCE_DIR}/src/cli/main.c")
if(TARGET theater_all AND EXISTS "${theater_main}")
    file(STRINGS "${PROJECT_SOURCE_DIR}/deps/wasmtime/Cargo.toml" engine
        REGEX "wasmtime-c-api-impl")
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" engine "${engine}")
    set_property(SOURCE "${PROJECT_SOURCE_DIR}/src/cli/doctor.c" APPEND PROPERTY
        COMPILE_DEFINITIONS "THEATER_ENGINE_VERSION=\"${engine}\"")
    add_executable(theater "${theater_main}")
    if(TARGET th_cli)
        target_link_libraries(theater PRIVATE th_cli)
    endif()
    target_link_libraries(theater PRIVATE th_flags theater_all)
    target_link_options(theater PRIVATE ${theater_lto_link})
    set_target_properties(theater PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
    # Manual pages and schemas come from the command's own tables.
    if(NOT CMAKE_CROSSCOMPILING)
        set(theater_man "${PROJECT_BINARY_DIR}/man")
        set(theater_schema "${PROJECT_BINARY_DIR}/schema")
        add_custom_command(TARGET theater POST_BUILD
            COMMAND ${CMAKE_COMMAND} -E make_directory "${theater_man}"
            COMMAND theater man --write "${theater_man}"
            COMMAND ${CMAKE_COMMAND} -E make_directory "${theater_schema}"
            COMMAND theater schema --write "${theater_schema}"
            COMMENT "Writing manual pages and schemas" VERBATIM)
    endif()
endif()
