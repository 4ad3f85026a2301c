# SPDX-License-Identifier: Apache-2.0
# The options of the build, all of them. An option that would check nothing
# (misspelt, contradictory, unknown to this compiler) refuses to configure.

set(THEATER_SANITIZE "" CACHE STRING
    "address | undefined | address,undefined | thread")
option(THEATER_WERROR "Warnings are errors" OFF)
option(THEATER_ENGINE "Build what needs Wasmtime: wasm, runtime, command" ON)
option(THEATER_LTO "Link-time optimisation of the command" OFF)
option(THEATER_COVERAGE "Count what runs (gcov): for `make coverage`" OFF)
option(THEATER_TESTS "Build the tests" ${theater_is_top})
option(THEATER_FUZZ "Build the fuzzers, too (clang, THEATER_SANITIZE)" OFF)
option(THEATER_MIMALLOC "Allocate with mimalloc (never with a sanitizer)" ON)
set(THEATER_HARDENING "ON" CACHE STRING
    "ON: what is free (libc's checks, relocations) | FULL | OFF")
set(THEATER_ASSERTS "AUTO" CACHE STRING
    "TH_ASSERT is checked: ON | OFF | AUTO (Debug and sanitized builds)")
set(THEATER_WASMTIME_ROOT "" CACHE PATH
    "A Wasmtime C API of the 48.x line (include/ and lib/)")

# Called last: what nobody declared by then was misspelt.
function(theater_refuse_unknown_options)
    get_cmake_property(variables CACHE_VARIABLES)
    foreach(variable IN LISTS variables)
        get_property(help CACHE ${variable} PROPERTY HELPSTRING)
        if(variable MATCHES "^THEATER_" AND help MATCHES "^No help, variable")
            message(FATAL_ERROR "There is no option ${variable}, so it would "
                "check nothing. cmake/options.cmake has them all. "
                "(cmake -U ${variable} forgets it.)")
        endif()
    endforeach()
endfunction()

# None: CFLAGS say all of it, as those who make packages want it.
set(theater_build_types Debug Release RelWithDebInfo MinSizeRel None)
get_property(theater_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT theater_multi_config)
    if(NOT CMAKE_BUILD_TYPE AND theater_is_top)
        set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
    endif()
    if(CMAKE_BUILD_TYPE AND theater_is_top
            AND NOT CMAKE_BUILD_TYPE IN_LIST theater_build_types)
        message(FATAL_ERROR "CMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE} would build "
            "without any of our flags; there are: ${theater_build_types}")
    endif()
endif()

set(theater_sanitizers "" address undefined "address,undefined" thread)
if(NOT THEATER_SANITIZE IN_LIST theater_sanitizers)
    message(FATAL_ERROR "THEATER_SANITIZE=${THEATER_SANITIZE} is none of: "
        "address, undefined, address,undefined, thread")
endif()
if(THEATER_SANITIZE STREQUAL "thread" AND THEATER_ENGINE)
    message(FATAL_ERROR "The engine is not built for the thread sanitizer, "
        "which would then see half of every race: add -DTHEATER_ENGINE=OFF")
endif()
if(THEATER_FUZZ AND NOT (THEATER_SANITIZE
        AND CMAKE_C_COMPILER_ID STREQUAL "Clang"))
    message(FATAL_ERROR "THEATER_FUZZ needs libFuzzer, which clang brings, and "
        "a sanitizer: -DCMAKE_C_COMPILER=clang-19 "
        "-DTHEATER_SANITIZE=address,undefined")
endif()
if(THEATER_SANITIZE AND THEATER_LTO)
    message(FATAL_ERROR "THEATER_LTO with THEATER_SANITIZE: choose one")
endif()
if(THEATER_COVERAGE AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "THEATER_COVERAGE is counted and read by GCC: add "
        "-DCMAKE_C_COMPILER=gcc")
endif()
if(THEATER_COVERAGE AND (THEATER_SANITIZE OR THEATER_LTO))
    message(FATAL_ERROR "THEATER_COVERAGE with THEATER_SANITIZE or "
        "THEATER_LTO: choose one")
endif()
if(NOT THEATER_HARDENING MATCHES "^(ON|FULL|OFF)$")
    message(FATAL_ERROR "THEATER_HARDENING=${THEATER_HARDENING} is none of "
        "ON, FULL, OFF")
endif()
if(NOT THEATER_ASSERTS MATCHES "^(ON|OFF|AUTO)$")
    message(FATAL_ERROR "THEATER_ASSERTS=${THEATER_ASSERTS} is none of "
        "ON, OFF, AUTO")
endif()
if(DEFINED CACHE{BUILD_TESTING} AND NOT BUILD_TESTING AND THEATER_TESTS
        AND theater_is_top)
    set(THEATER_TESTS OFF)
endif()
if(THEATER_WASMTIME_ROOT AND NOT THEATER_ENGINE)
    message(FATAL_ERROR "THEATER_WASMTIME_ROOT without THEATER_ENGINE would "
        "not be looked at")
endif()
