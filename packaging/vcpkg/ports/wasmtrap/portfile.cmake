# From the tree around the port, which is an overlay of the project's own: it builds what it lies in. Needs cargo.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../../.." ABSOLUTE)
set(BUILD_PATH "${CURRENT_BUILDTREES_DIR}/source")
file(REMOVE_RECURSE "${BUILD_PATH}")
foreach(part IN ITEMS src include packaging adapters/wasm2c c-tests/setup Cargo.toml Cargo.lock build.rs cbindgen.toml Makefile
    LICENSE-APACHE LICENSE-MIT)
  get_filename_component(folder "${BUILD_PATH}/${part}" DIRECTORY)
  file(COPY "${SOURCE_PATH}/${part}" DESTINATION "${folder}")
endforeach()

find_program(MAKE NAMES gmake make REQUIRED)
vcpkg_execute_required_process(
  COMMAND "${MAKE}" SETUP=no V=1 install DESTDIR= "PREFIX=${CURRENT_PACKAGES_DIR}"
    "CMAKEDIR=${CURRENT_PACKAGES_DIR}/share/${PORT}" "BINDIR=${CURRENT_PACKAGES_DIR}/tools/${PORT}"
  WORKING_DIRECTORY "${BUILD_PATH}"
  LOGNAME "build-${TARGET_TRIPLET}")

if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
  file(GLOB unwanted "${CURRENT_PACKAGES_DIR}/lib/libwasmtrap.so*" "${CURRENT_PACKAGES_DIR}/lib/libwasmtrap*.dylib")
  file(REMOVE ${unwanted})
else()
  file(REMOVE "${CURRENT_PACKAGES_DIR}/lib/libwasmtrap.a")
endif()

# vcpkg wants the debug build's files as well; there is one build.
if(NOT VCPKG_BUILD_TYPE)
  file(COPY "${CURRENT_PACKAGES_DIR}/lib" DESTINATION "${CURRENT_PACKAGES_DIR}/debug")
endif()
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share"
  "${CURRENT_PACKAGES_DIR}/share/man")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE-MIT" "${SOURCE_PATH}/LICENSE-APACHE")
