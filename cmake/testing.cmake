# SPDX-License-Identifier: Apache-2.0
# Tests. x_test.c beside x.c becomes an executable of its own, with the ctest
# name folder.x, linked with cmocka and only what its folder may use.
# Everything else calls theater_test:
#
#   theater_test(NAME SOURCES file... [LIBS folder-or-target...]
#                [TIMEOUT seconds] [LABELS label...] [ARGS argument...]
#                [ENVIRONMENT VAR=value...])
#   theater_command_test(NAME COMMAND program... [TIMEOUT n] [LABELS ...]
#                [ENVIRONMENT ...])
#
# A LIBS entry that is a folder's name (messaging, handlers_runtime, ...) brings
# that folder and what it may use. A test whose LIBS this build does not have
# (no engine) is left out. TIMEOUT is 120 seconds unless said otherwise, four
# times that under a sanitizer or with coverage. The label `serial` lets a test
# run alone. A test finds files through TH_TEST_SOURCE_DIR and TH_TEST_BUILD_DIR (strings).
if(NOT THEATER_TESTS)
    function(theater_test)
    endfunction()
    function(theater_command_test)
    endfunction()
    return()
endif()
enable_testing()

function(theater_test_properties name timeout labels environment)
    if(NOT timeout)
        set(timeout 120)
    endif()
    if(THEATER_SANITIZE OR THEATER_COVERAGE)
        math(EXPR timeout "${timeout} * 4")
    endif()
    # A fiber's stack is no stack that the sanitizer knows of; an allocation
    # that is too large is a NULL, as it is without a sanitizer.
    set(sanitizers
        "ASAN_OPTIONS=detect_stack_use_after_return=0:allocator_may_return_null=1"
        "UBSAN_OPTIONS=print_stacktrace=1"
        "TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1")
    set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout}
        LABELS "${labels}" ENVIRONMENT "${sanitizers};${environment}")
    if("serial" IN_LIST labels)
        set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
    endif()
endfunction()

function(theater_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBS;LABELS;ARGS;ENVIRONMENT"
        ${ARGN})
    set(folders "")
    set(targets "")
    foreach(lib IN LISTS arg_LIBS)
        if(DEFINED theater_uses_${lib})
            if(NOT lib IN_LIST theater_folders)
                return()
            endif()
            list(APPEND folders ${lib})
        else()
            list(APPEND targets ${lib})
        endif()
    endforeach()
    foreach(target IN LISTS targets)
        if(target MATCHES "^(theater::|th_)" AND NOT TARGET ${target})
            return()
        endif()
    endforeach()
    # A file that is not there fails its test, not everybody's build.
    foreach(source IN LISTS arg_SOURCES)
        get_filename_component(source "${source}" ABSOLUTE)
        file(GLOB found CONFIGURE_DEPENDS "${source}")
        get_source_file_property(generated "${source}" GENERATED)
        if(NOT found AND NOT generated)
            message(WARNING "${name} cannot be built: ${source} is missing")
            add_test(NAME ${name} COMMAND "${CMAKE_COMMAND}" -E cat
                "${source}")
            return()
        endif()
    endforeach()
    string(REPLACE "." "_" executable "test_${name}")
    add_executable(${executable} ${arg_SOURCES})
    set_target_properties(${executable} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/bin"
        OUTPUT_NAME "${name}")
    theater_link_folders(${executable} ${folders})
    theater_link_helpers(${executable} ${folders})
    target_link_libraries(${executable} PRIVATE th_flags th_cmocka ${targets}
        th_malloc Threads::Threads)
    target_link_options(${executable} PRIVATE ${theater_lto_avoid})
    target_compile_definitions(${executable} PRIVATE
        TH_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
        TH_TEST_BUILD_DIR="${PROJECT_BINARY_DIR}")
    add_test(NAME ${name} COMMAND ${executable} ${arg_ARGS})
    theater_test_properties(${name} "${arg_TIMEOUT}" "${arg_LABELS}"
        "${arg_ENVIRONMENT}")
endfunction()

function(theater_command_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT" ${ARGN})
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    theater_test_properties(${name} "${arg_TIMEOUT}" "${arg_LABELS}"
        "${arg_ENVIRONMENT}")
endfunction()

foreach(folder IN LISTS theater_folders)
    theater_folder_files(${folder} sources tests helpers)
    foreach(test IN LISTS tests)
        get_filename_component(name "${test}" NAME)
        string(REGEX REPLACE "_test\\.c$" "" name "${name}")
        theater_test(${folder}.${name} SOURCES "${test}" LIBS ${folder}
            LABELS unit)
    endforeach()
endforeach()

# It must not take a worker that gets no processor for one that is stuck.
if(TEST sched.watch)
    set_tests_properties(sched.watch PROPERTIES RUN_SERIAL ON)
endif()

# A program of nothing but a folder and what it may use: every object is
# linked, so a call against the arrows is an undefined symbol here. Linked by
# the test itself, so that a folder in the making stops nobody's build.
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/tests/link.c"
    CONTENT "int main(void)\n{\n    return 0;\n}\n" @ONLY)
foreach(folder IN LISTS theater_folders)
    if(TARGET th_${folder} AND NOT folder STREQUAL "cli")
        add_executable(test_link_${folder} EXCLUDE_FROM_ALL
            "${PROJECT_BINARY_DIR}/tests/link.c")
        theater_link_folders(test_link_${folder} ${folder})
        target_link_libraries(test_link_${folder} PRIVATE th_flags)
        target_link_options(test_link_${folder} PRIVATE ${theater_lto_avoid})
        theater_command_test(link.${folder} LABELS unit serial
            COMMAND "${CMAKE_COMMAND}" --build "${PROJECT_BINARY_DIR}"
                --target test_link_${folder})
    endif()
endforeach()
