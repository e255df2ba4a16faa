# wasmtrap_wamr(TARGET [LIBRARY]): has WAMR's library TARGET, made of ${WAMR_RUNTIME_LIB_SOURCE}, take its traps by
# libwasmtrap. LIBRARY is what it links with, wasmtrap::wasmtrap unless given: find_package(wasmtrap) comes first.

set(WASMTRAP_WAMR_DIR "${CMAKE_CURRENT_LIST_DIR}" CACHE INTERNAL "where wasmtrap_wamr.c is")

function(wasmtrap_wamr target)
  set(library wasmtrap::wasmtrap)
  if(ARGC GREATER 1)
    set(library "${ARGV1}")
  endif()
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "/platform/common/posix/posix_thread\\.c$")
  list(LENGTH sources count)
  if(NOT count EQUAL 1)
    message(FATAL_ERROR "wasmtrap_wamr: ${target} has ${count} files platform/common/posix/posix_thread.c, not one")
  endif()
  get_target_property(directory ${target} SOURCE_DIR)
  set_property(SOURCE ${sources} DIRECTORY "${directory}" APPEND PROPERTY
    COMPILE_OPTIONS -include "${WASMTRAP_WAMR_DIR}/wasmtrap_wamr.h")
  target_sources(${target} PRIVATE "${WASMTRAP_WAMR_DIR}/wasmtrap_wamr.c")
  # Not target_link_libraries: WAMR's own projects call that without a keyword, and CMake lets nobody mix the two.
  set_property(TARGET ${target} APPEND PROPERTY LINK_LIBRARIES ${library})
  set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${library})
endfunction()
