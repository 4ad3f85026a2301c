# SPDX-License-Identifier: Apache-2.0
# `cpack` in the build folder (or `make package`): three Debian packages from
# the components of cmake/install.cmake, and an archive of all that is
# installed. cmake/package_finish.cmake does what a Debian package needs on top.
string(CONCAT theater_about
    "Actors are WebAssembly modules with memory of their own, which may do\n"
    "what their manifest grants and nothing else. A message server carries\n"
    "one-way messages, requests with answers, and channels between them.\n")

set(CPACK_PACKAGE_NAME theater)
set(CPACK_PACKAGE_VENDOR "The Theater contributors")
set(CPACK_PACKAGE_CONTACT "The Theater contributors <theater@packages.invalid>"
    CACHE STRING "Who answers for the packages: Name <address>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION "${theater_about}")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/packages")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/package_finish.cmake")
set(CPACK_COMPONENTS_ALL development)
if(TARGET theater)
    list(PREPEND CPACK_COMPONENTS_ALL theater)
endif()
if(theater_shared_libraries)
    list(APPEND CPACK_COMPONENTS_ALL libtheater)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SOURCE theater)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(theater_soname "${PROJECT_VERSION_MAJOR}")
# Not CPack's own, which calls ldconfig from a script: the trigger does, and
# cmake/package_finish.cmake finds what the shared libraries depend on.
set(CPACK_DEBIAN_LIBTHEATER_PACKAGE_SHLIBDEPS OFF)
set(control "${PROJECT_BINARY_DIR}/debian")
set(needed "libtheater${theater_soname} (>= ${PROJECT_VERSION})")
file(CONFIGURE OUTPUT "${control}/shlibs" @ONLY CONTENT
"libtheater ${theater_soname} ${needed}
libtheater-messaging ${theater_soname} ${needed}
")
file(CONFIGURE OUTPUT "${control}/triggers" CONTENT
    "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBTHEATER_PACKAGE_CONTROL_EXTRA "${control}/shlibs"
    "${control}/triggers")

set(CPACK_DEBIAN_THEATER_PACKAGE_NAME theater)
set(CPACK_DEBIAN_THEATER_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_THEATER_PACKAGE_SUGGESTS "clang-19, lld-19")
set(CPACK_COMPONENT_THEATER_DESCRIPTION "${theater_about}
This is the command that runs, checks and measures actors, and what actors
are written with.")
set(CPACK_DEBIAN_LIBTHEATER_PACKAGE_NAME libtheater${theater_soname})
set(CPACK_DEBIAN_LIBTHEATER_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBTHEATER_DESCRIPTION "${theater_about}
These are the shared libraries, for C programs that run actors or use the
message server alone.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libtheater-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "${theater_about}
These are the headers, the static libraries, and the files for pkg-config
and CMake.")
set(theater_depends "")
if(theater_shared_libraries)
    string(APPEND theater_depends "libtheater${theater_soname} "
        "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), ")
endif()
if(theater_mimalloc)
    string(APPEND theater_depends "libmimalloc-dev, ")
endif()
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${theater_depends}libc6-dev")
include(CPack)
