# How our own code is compiled: language, warnings, hardening, sanitizers.
# Third-party code never passes here; its headers come in as SYSTEM.
option(FERRY_WERROR "Warnings are errors (the presets' choice)" OFF)
set(FERRY_SANITIZE "" CACHE STRING "address | thread | trap (undefined behaviour traps; for MinGW)")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# assert() stays in the product: it guards against our own mistakes, and a service that
# works for other identities had better stop than go on with a broken assumption.
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_DEBUG "-g")

# What applies to C but not to the resource compiler.
function(c_options)
  add_compile_options("$<$<COMPILE_LANGUAGE:C>:${ARGN}>")
endfunction()

c_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wvla -Wundef -Wcast-qual -Wwrite-strings
  -Wpointer-arith -Wdouble-promotion -Wswitch-enum -Wimplicit-fallthrough)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  c_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init)
endif()
if(NOT FERRY_SANITIZE)
  c_options(-Wnull-dereference) # the sanitizers' own branches set it off
endif()
if(FERRY_WERROR)
  c_options(-Werror)
endif()

c_options(-fstack-protector-strong -fno-strict-aliasing -fno-common -ffunction-sections -fdata-sections
  # No path of this machine in the product: two checkouts give the same bytes.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU") # clang has it without conditions from 16 on
    c_options(-ftrivial-auto-var-init=zero)
  endif()
  add_compile_definitions($<$<COMPILE_LANGUAGE:C>:_FORTIFY_SOURCE=2>)
endif()

if(WIN32)
  add_compile_definitions(UNICODE _UNICODE WIN32_LEAN_AND_MEAN NOMINMAX
    _WIN32_WINNT=0x0A00 WINVER=0x0A00 NTDDI_VERSION=0x0A000006
    __USE_MINGW_ANSI_STDIO=1) # C11's printf formats, whatever msvcrt.dll understands
  # The stack protector stands at link time too: it pulls in libssp.
  add_link_options(-static -fstack-protector-strong -Wl,--gc-sections -Wl,--dynamicbase -Wl,--nxcompat
    -Wl,--high-entropy-va -Wl,--no-insert-timestamp)
else()
  c_options(-fstack-clash-protection)
  add_link_options(-pie -Wl,-z,relro -Wl,-z,now)
endif()

if(FERRY_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(FERRY_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread)
elseif(FERRY_SANITIZE STREQUAL "trap")
  set(sanitize -fsanitize=undefined -fsanitize-undefined-trap-on-error)
elseif(FERRY_SANITIZE)
  message(FATAL_ERROR "FERRY_SANITIZE: '${FERRY_SANITIZE}' is none of address, thread, trap")
endif()
if(FERRY_SANITIZE)
  c_options(${sanitize} -O1 -fno-omit-frame-pointer)
  add_link_options(${sanitize})
endif()
