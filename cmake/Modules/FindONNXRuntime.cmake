# SPDX-License-Identifier: GPL-3.0-or-later
#
# Finds ONNX Runtime and defines the target ONNXRuntime::ONNXRuntime. Looked for in this order:
#   ONNXRUNTIME_ROOT (CMake or environment variable), an unpacked release; overrides everything
#   a system package (headers in <prefix>/include/onnxruntime)
#   ONNXRUNTIME_SETUP, the folder that "./run setup" prepares

if(NOT ONNXRUNTIME_ROOT AND DEFINED ENV{ONNXRUNTIME_ROOT})
    set(ONNXRUNTIME_ROOT "$ENV{ONNXRUNTIME_ROOT}")
endif()
set(_ort_suffixes include include/onnxruntime include/onnxruntime/core/session onnxruntime)

if(ONNXRuntime_INCLUDE_DIR AND ONNXRuntime_LIBRARY AND ONNXRuntime_ORIGIN)
    set(_ort_origin "${ONNXRuntime_ORIGIN}") # found by an earlier run of CMake
elseif(ONNXRUNTIME_ROOT)
    set(_ort_origin "ONNXRUNTIME_ROOT")
    find_path(ONNXRuntime_INCLUDE_DIR onnxruntime_cxx_api.h PATHS ${ONNXRUNTIME_ROOT}
        PATH_SUFFIXES ${_ort_suffixes} NO_DEFAULT_PATH)
    find_library(ONNXRuntime_LIBRARY onnxruntime PATHS ${ONNXRUNTIME_ROOT} PATH_SUFFIXES lib NO_DEFAULT_PATH)
else()
    set(_ort_origin "system package")
    find_path(ONNXRuntime_INCLUDE_DIR onnxruntime_cxx_api.h PATH_SUFFIXES ${_ort_suffixes})
    find_library(ONNXRuntime_LIBRARY onnxruntime)
    if(NOT ONNXRuntime_INCLUDE_DIR AND ONNXRUNTIME_SETUP)
        set(_ort_origin "./run setup")
        unset(ONNXRuntime_LIBRARY CACHE)
        find_path(ONNXRuntime_INCLUDE_DIR onnxruntime_cxx_api.h PATHS ${ONNXRUNTIME_SETUP}
            PATH_SUFFIXES include NO_DEFAULT_PATH)
        find_library(ONNXRuntime_LIBRARY onnxruntime PATHS ${ONNXRUNTIME_SETUP} PATH_SUFFIXES lib NO_DEFAULT_PATH)
    endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ONNXRuntime
    REASON_FAILURE_MESSAGE "install libonnxruntime-dev (Debian 13 or later), set ONNXRUNTIME_ROOT to an unpacked release, or use ./run build, which prepares one"
    REQUIRED_VARS ONNXRuntime_LIBRARY ONNXRuntime_INCLUDE_DIR)

if(ONNXRuntime_FOUND AND NOT TARGET ONNXRuntime::ONNXRuntime)
    set(ONNXRuntime_ORIGIN "${_ort_origin}" CACHE INTERNAL "Where ONNX Runtime was found")
    message(STATUS "ONNX Runtime taken from: ${_ort_origin} (${ONNXRuntime_LIBRARY})")
    get_filename_component(ONNXRuntime_LIBRARY_DIR ${ONNXRuntime_LIBRARY} DIRECTORY)
    add_library(ONNXRuntime::ONNXRuntime UNKNOWN IMPORTED)
    set_target_properties(ONNXRuntime::ONNXRuntime PROPERTIES
        IMPORTED_LOCATION "${ONNXRuntime_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${ONNXRuntime_INCLUDE_DIR}")
endif()
mark_as_advanced(ONNXRuntime_INCLUDE_DIR ONNXRuntime_LIBRARY)
