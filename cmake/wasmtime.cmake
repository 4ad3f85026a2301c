# SPDX-License-Identifier: Apache-2.0
# th_wasmtime: the engine's C API, of the line that we are pinned to. Looked
# for in THEATER_WASMTIME_ROOT, in WASMTIME_ROOT, where
# deps/build-wasmtime.sh puts it, and in the system, in this order.
set(theater_wasmtime_line 48)

function(theater_try_wasmtime root out_found out_why)
    set(${out_found} "" PARENT_SCOPE)
    find_library(archive NAMES libwasmtime.a wasmtime NO_CACHE
        PATHS "${root}/lib" "${root}/lib64" "${root}" NO_DEFAULT_PATH
        PATH_SUFFIXES "${CMAKE_LIBRARY_ARCHITECTURE}")
    set(header "${root}/include/wasmtime.h")
    if(NOT archive OR NOT EXISTS "${header}")
        set(${out_why} "no include/wasmtime.h with lib/libwasmtime"
            PARENT_SCOPE)
        return()
    endif()
    file(STRINGS "${header}" line REGEX "#define WASMTIME_VERSION \"")
    string(REGEX REPLACE ".*\"([^\"]*)\".*" "\\1" version "${line}")
    if(NOT version MATCHES "^${theater_wasmtime_line}\\.")
        set(${out_why} "is version ${version}, not ${theater_wasmtime_line}.x"
            PARENT_SCOPE)
        return()
    endif()
    file(STRINGS "${root}/include/wasmtime/conf.h" features
        REGEX "#define WASMTIME_FEATURE_")
    foreach(feature ASYNC CRANELIFT WAT PARALLEL_COMPILATION)
        if(NOT features MATCHES "WASMTIME_FEATURE_${feature}")
            set(${out_why} "was built without the feature ${feature}"
                PARENT_SCOPE)
            return()
        endif()
    endforeach()
    set(${out_found} "${archive}" PARENT_SCOPE)
    set(theater_wasmtime_version "${version}" PARENT_SCOPE)
endfunction()

set(theater_wasmtime_roots "")
set(theater_wasmtime_given OFF)
if(THEATER_WASMTIME_ROOT)
    set(theater_wasmtime_roots "${THEATER_WASMTIME_ROOT}")
    set(theater_wasmtime_given ON)
elseif(DEFINED ENV{WASMTIME_ROOT})
    set(theater_wasmtime_roots "$ENV{WASMTIME_ROOT}")
    set(theater_wasmtime_given ON)
else()
    execute_process(COMMAND
        "${PROJECT_SOURCE_DIR}/deps/build-wasmtime.sh" --path
        OUTPUT_VARIABLE theater_wasmtime_cached
        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(theater_wasmtime_roots "${theater_wasmtime_cached}" /usr/local /usr)
endif()

set(theater_wasmtime_library "")
set(theater_wasmtime_report "")
foreach(root IN LISTS theater_wasmtime_roots)
    theater_try_wasmtime("${root}" theater_wasmtime_library why)
    if(theater_wasmtime_library)
        set(theater_wasmtime_root "${root}")
        break()
    endif()
    string(APPEND theater_wasmtime_report "\n  ${root}: ${why}")
endforeach()
if(NOT theater_wasmtime_library)
    message(FATAL_ERROR "No usable Wasmtime C API "
        "${theater_wasmtime_line}.x:${theater_wasmtime_report}\n"
        "deps/build-wasmtime.sh builds it once (about 5 minutes); "
        "-DTHEATER_ENGINE=OFF builds and tests what needs no engine.")
endif()
message(STATUS "Wasmtime ${theater_wasmtime_version}: "
    "${theater_wasmtime_library}")

add_library(th_wasmtime INTERFACE)
target_include_directories(th_wasmtime SYSTEM INTERFACE
    "${theater_wasmtime_root}/include")
target_link_libraries(th_wasmtime INTERFACE "${theater_wasmtime_library}"
    Threads::Threads ${CMAKE_DL_LIBS} m)
