# SPDX-License-Identifier: Apache-2.0
# Flags: th_flags (ours, every object of the project) and the sanitizers. The
# user's CFLAGS come on top; -O and -g are the build type's.
include(CheckCSourceCompiles)
include(GNUInstallDirs)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(theater_is_top)
    # Our own assertions are governed by THEATER_ASSERTS, so no -DNDEBUG; and
    # -O2 where nobody asked for something else.
    foreach(type RELWITHDEBINFO RELEASE)
        string(REGEX REPLACE " ?-DNDEBUG" "" CMAKE_C_FLAGS_${type}
            "${CMAKE_C_FLAGS_${type}}")
    endforeach()
    if(CMAKE_C_FLAGS_RELEASE STREQUAL "-O3")
        set(CMAKE_C_FLAGS_RELEASE "-O2")
    endif()
endif()

add_library(th_flags INTERFACE)
target_include_directories(th_flags INTERFACE
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
target_compile_definitions(th_flags INTERFACE _GNU_SOURCE=
    THEATER_BUILD_VERSION="${PROJECT_VERSION}")
target_compile_options(th_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow
    -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -fno-omit-frame-pointer -fno-tree-slp-vectorize)
if(THEATER_WERROR)
    target_compile_options(th_flags INTERFACE -Werror)
endif()

# TH_DEBUG=1 makes TH_ASSERT check; TH_CHECK always does.
if(THEATER_ASSERTS STREQUAL "ON" OR (THEATER_ASSERTS STREQUAL "AUTO"
        AND (THEATER_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")))
    target_compile_definitions(th_flags INTERFACE TH_DEBUG=1)
endif()

# Hardening. ON is what tests/guard does not see. FULL costs a message 4 to 7 %
# more instructions: guards on the stack, and landing pads for CET or BTI. What
# the user's CFLAGS say of these stays. Of the libraries and the command.
add_library(th_hardening INTERFACE)
set(theater_harden_link "")
if(THEATER_HARDENING AND NOT THEATER_SANITIZE)
    # It needs an optimiser, and warns where there is none.
    if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT
            CMAKE_C_FLAGS MATCHES "_FORTIFY_SOURCE|-O0")
        target_compile_options(th_hardening INTERFACE -D_FORTIFY_SOURCE=2)
    endif()
    set(theater_harden_link "LINKER:-z,relro,-z,now")
    include(CheckCCompilerFlag)
    if(THEATER_HARDENING STREQUAL "FULL")
        foreach(flag -fstack-protector-strong -fstack-clash-protection
                -fcf-protection -mbranch-protection=standard)
            string(MAKE_C_IDENTIFIER "theater_has${flag}" known)
            check_c_compiler_flag(${flag} ${known})
            if(${known})
                target_compile_options(th_hardening INTERFACE ${flag})
            endif()
        endforeach()
    endif()
endif()

set(theater_sanitize_options "")
if(THEATER_SANITIZE)
    set(theater_sanitize_options "-fsanitize=${THEATER_SANITIZE}"
        -fno-sanitize-recover=all)
    set(CMAKE_REQUIRED_FLAGS "-fsanitize=${THEATER_SANITIZE}")
    check_c_source_compiles("int main(void) { return 0; }"
        theater_sanitizer_works)
    unset(CMAKE_REQUIRED_FLAGS)
    if(NOT theater_sanitizer_works)
        message(FATAL_ERROR "${CMAKE_C_COMPILER} cannot link with "
            "-fsanitize=${THEATER_SANITIZE}")
    endif()
    target_compile_options(th_flags INTERFACE ${theater_sanitize_options})
    target_link_options(th_flags INTERFACE ${theater_sanitize_options})
    string(REPLACE "," ";" theater_sanitizer_list "${THEATER_SANITIZE}")
    foreach(sanitizer IN LISTS theater_sanitizer_list)
        string(TOUPPER "${sanitizer}" sanitizer)
        # TH_SANITIZE_ADDRESS, _UNDEFINED, _THREAD: pools become malloc.
        target_compile_definitions(th_flags INTERFACE
            "TH_SANITIZE_${sanitizer}=1")
    endforeach()
endif()

# Branches are those of the text, not of the optimiser. After a target's own
# options, so that every copy of a file has the same ones.
if(THEATER_COVERAGE)
    target_compile_options(th_flags INTERFACE --coverage -O0
        -fprofile-update=atomic -fno-inline)
    # An inlined copy would count its branches for itself.
    target_compile_definitions(th_flags INTERFACE always_inline=unused)
    target_link_options(th_flags INTERFACE --coverage)
endif()
if(THEATER_FUZZ)
    target_compile_options(th_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(th_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Objects carry machine code and intermediate code: the command and the
# benchmarks are optimised as a whole, tests link in a moment.
set(theater_lto_compile "")
set(theater_lto_link "")
set(theater_lto_avoid "")
set(theater_lto_quiet "")
if(THEATER_LTO)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        set(theater_lto_compile -flto=auto -ffat-lto-objects)
        set(theater_lto_link -flto=auto)
        set(theater_lto_avoid -fno-lto)
        # gcc 12 takes every inlined count of references for an overflow.
        set(theater_lto_quiet -Wno-stringop-overflow)
    elseif(CMAKE_C_COMPILER_ID STREQUAL "Clang")
        set(theater_lto_compile -flto -ffat-lto-objects)
        set(theater_lto_link -flto -ffat-lto-objects -fuse-ld=lld)
    else()
        message(FATAL_ERROR "THEATER_LTO: not known for "
            "${CMAKE_C_COMPILER_ID}")
    endif()
    target_compile_options(th_flags INTERFACE ${theater_lto_compile})
endif()
