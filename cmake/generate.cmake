# Generated sources: the embedded schema, the event messages, the Windows resources.

# --- schema/*.sql, for runtime/store ---
file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/*.sql)
if(NOT migrations)
  missing("schema/ has no migrations")
endif()
configure_file(cmake/schema_embedded.h ${generated}/schema_embedded.h COPYONLY)
add_custom_command(OUTPUT ${generated}/schema_embedded.c
  COMMAND ${CMAKE_COMMAND} -D FOLDER=${CMAKE_SOURCE_DIR}/schema -D OUT=${generated}/schema_embedded.c
    -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${migrations} cmake/embed.cmake VERBATIM)
if(TARGET room_runtime_store)
  target_sources(room_runtime_store PRIVATE ${generated}/schema_embedded.c)
  target_include_directories(room_runtime_store PUBLIC ${generated})
endif()
# ferry_build.h, for those who print a version.
foreach(target IN ITEMS room_daemon_main room_client_cli)
  if(TARGET ${target})
    target_include_directories(${target} PRIVATE ${generated})
  endif()
endforeach()

# --- daemon/events.def: docs/events.md, schema/events.schema.json, packaging/windows/events and, on Windows, the message table; core/result.def: docs/errors.md;
# core/settings.def: docs/configuration.md and packaging/policy ---
set(events_def ${CMAKE_SOURCE_DIR}/daemon/events.def)
set(events_script ${CMAKE_SOURCE_DIR}/cmake/events.cmake)
add_custom_target(docs
  COMMAND ${CMAKE_COMMAND} -D IN=${events_def} -D TOP=${CMAKE_SOURCE_DIR}/cmake/events.md.in
    -D PAGE=${CMAKE_SOURCE_DIR}/docs/events.md -D SCHEMA=${CMAKE_SOURCE_DIR}/schema/events.schema.json
    -D VIEWS=${CMAKE_SOURCE_DIR}/packaging/windows/events -P ${events_script}
  COMMAND ${CMAKE_COMMAND} -D IN=${CMAKE_SOURCE_DIR}/daemon/core/result.def -D TOP=${CMAKE_SOURCE_DIR}/cmake/errors.md.in
    -D PAGE=${CMAKE_SOURCE_DIR}/docs/errors.md -P ${CMAKE_SOURCE_DIR}/cmake/errors.cmake
  COMMAND ${CMAKE_COMMAND} -D IN=${CMAKE_SOURCE_DIR}/daemon/core/settings.def -D TOP=${CMAKE_SOURCE_DIR}/cmake/configuration.md.in
    -D PAGE=${CMAKE_SOURCE_DIR}/docs/configuration.md -D ADMX=${CMAKE_SOURCE_DIR}/packaging/policy/ferry.admx
    -D ADML=${CMAKE_SOURCE_DIR}/packaging/policy/en-US/ferry.adml -P ${CMAKE_SOURCE_DIR}/cmake/settings.cmake
  VERBATIM)
if(NOT EXISTS ${events_def})
  missing("daemon/events.def is not there")
elseif(WIN32)
  find_program(WINDMC NAMES x86_64-w64-mingw32-windmc windmc REQUIRED)
  set(events_rc ${generated}/events/events.rc)
  set(events_bin ${generated}/events/MSG00409.bin)
  add_custom_command(OUTPUT ${events_rc} ${events_bin}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}/events
    COMMAND ${CMAKE_COMMAND} -D IN=${events_def} -D MC=${generated}/events/events.mc -P ${events_script}
    COMMAND ${WINDMC} -U -a -h ${generated}/events -r ${generated}/events ${generated}/events/events.mc
    DEPENDS ${events_def} ${events_script} cmake/table.cmake VERBATIM)
  set_source_files_properties(${events_rc} PROPERTIES
    OBJECT_DEPENDS ${events_bin} INCLUDE_DIRECTORIES ${generated}/events)
endif()

# Version, manifest and, with EVENTS, the event messages of an executable.
function(windows_resources target FERRY_DESCRIPTION)
  get_target_property(FERRY_FILENAME ${target} OUTPUT_NAME)
  configure_file(${CMAKE_SOURCE_DIR}/packaging/windows/version.rc.in ${generated}/${target}.rc @ONLY)
  set_source_files_properties(${generated}/${target}.rc PROPERTIES
    OBJECT_DEPENDS ${CMAKE_SOURCE_DIR}/packaging/windows/ferry.manifest
    INCLUDE_DIRECTORIES ${CMAKE_SOURCE_DIR}/packaging/windows)
  target_sources(${target} PRIVATE ${generated}/${target}.rc)
  if("EVENTS" IN_LIST ARGN AND events_rc)
    target_sources(${target} PRIVATE ${events_rc})
  endif()
endfunction()
