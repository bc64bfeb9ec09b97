# SPDX-License-Identifier: GPL-3.0-or-later

find_package(PkgConfig)

PKG_CHECK_MODULES(PC_GR_THZUM gnuradio-thzum)

FIND_PATH(
    GR_THZUM_INCLUDE_DIRS
    NAMES gnuradio/thzum/api.h
    HINTS $ENV{THZUM_DIR}/include
        ${PC_THZUM_INCLUDEDIR}
    PATHS ${CMAKE_INSTALL_PREFIX}/include
          /usr/local/include
          /usr/include
)

FIND_LIBRARY(
    GR_THZUM_LIBRARIES
    NAMES gnuradio-thzum
    HINTS $ENV{THZUM_DIR}/lib
        ${PC_THZUM_LIBDIR}
    PATHS ${CMAKE_INSTALL_PREFIX}/lib
          ${CMAKE_INSTALL_PREFIX}/lib64
          /usr/local/lib
          /usr/local/lib64
          /usr/lib
          /usr/lib64
          )

include("${CMAKE_CURRENT_LIST_DIR}/gnuradio-thzumTarget.cmake")

INCLUDE(FindPackageHandleStandardArgs)
FIND_PACKAGE_HANDLE_STANDARD_ARGS(GR_THZUM DEFAULT_MSG GR_THZUM_LIBRARIES GR_THZUM_INCLUDE_DIRS)
MARK_AS_ADVANCED(GR_THZUM_LIBRARIES GR_THZUM_INCLUDE_DIRS)
