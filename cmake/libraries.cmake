# SPDX-License-Identifier: Apache-2.0
# What a user links: theater::messaging (the router alone), theater::theater
# (all but the command) and the command `theater`.

function(theater_library target output)
    set(objects "")
    set(links th_malloc Threads::Threads)
    foreach(folder IN LISTS ARGN)
        if(TARGET th_${folder})
            list(APPEND objects $<TARGET_OBJECTS:th_${folder}>)
            list(APPEND links ${theater_links_${folder}})
        endif()
    endforeach()
    list(REMOVE_DUPLICATES links)
    add_library(${target} STATIC ${objects})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output}
        LINKER_LANGUAGE C ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
    target_include_directories(${target} PUBLIC
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
    target_link_libraries(${target} PUBLIC ${links})
    target_link_options(${target} PUBLIC ${theater_sanitize_options}
        ${theater_lto_quiet})
endfunction()

if(TARGET th_messaging)
    theater_library(theater_messaging theater-messaging base queue messaging)
    add_library(theater::messaging ALIAS theater_messaging)
endif()

if(TARGET th_runtime)
    theater_library(theater_all theater base queue messaging sched wasm runtime
        handlers_message_server handlers_runtime)
    add_library(theater::theater ALIAS theater_all)
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
