# SPDX-License-Identifier: Apache-2.0
# The projects that `theater new` makes, in the command: of each language, the
# files under sdk/LANGUAGE/template/, and those that sdk/LANGUAGE/template.txt
# names ("DEST SOURCE" a line, SOURCE from the project's root). A folder that
# has both is picked up. th_cli links the result.
if(NOT TARGET th_cli)
    return()
endif()
set(list "")
set(files "")
file(GLOB tables CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/sdk/*/template.txt")
foreach(table IN LISTS tables)
    get_filename_component(sdk "${table}" DIRECTORY)
    get_filename_component(language "${sdk}" NAME)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS LIST_DIRECTORIES false
        RELATIVE "${sdk}/template" "${sdk}/template/*")
    foreach(file IN LISTS found)
        string(APPEND list "${language} 1 ${file} ${sdk}/template/${file}\n")
        list(APPEND files "${sdk}/template/${file}")
    endforeach()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${table}")
    file(STRINGS "${table}" lines)
    foreach(line IN LISTS lines)
        if(line MATCHES "^#" OR line STREQUAL "")
            continue()
        endif()
        if(NOT line MATCHES "^([^ ]+) ([^ ]+)$"
                OR NOT EXISTS "${PROJECT_SOURCE_DIR}/${CMAKE_MATCH_2}")
            message(FATAL_ERROR "${table}: '${line}' is not 'DEST SOURCE' with "
                "a file of the project")
        endif()
        set(source "${PROJECT_SOURCE_DIR}/${CMAKE_MATCH_2}")
        string(APPEND list "${language} 0 ${CMAKE_MATCH_1} ${source}\n")
        list(APPEND files "${source}")
    endforeach()
endforeach()

set(folder "${PROJECT_BINARY_DIR}/templates")
file(CONFIGURE OUTPUT "${folder}/list.txt" CONTENT "${list}" @ONLY)
add_custom_command(OUTPUT "${folder}/templates.c"
    COMMAND ${CMAKE_COMMAND} "-DLIST=${folder}/list.txt"
        "-DOUT=${folder}/templates.c"
        -P "${CMAKE_CURRENT_LIST_DIR}/embed_templates.cmake"
    DEPENDS ${files} "${folder}/list.txt"
        "${CMAKE_CURRENT_LIST_DIR}/embed_templates.cmake"
    COMMENT "Embedding the templates of new projects" VERBATIM)
add_library(th_templates STATIC "${folder}/templates.c")
target_link_libraries(th_templates PRIVATE th_flags)
target_link_libraries(th_cli PUBLIC th_templates)
