# Cross toolchain: Debian's MinGW-w64, x86_64.  With FERRY_CLANG=ON the compiler is
# clang with lld on the same headers and libraries.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_VERSION 10.0)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(triple x86_64-w64-mingw32)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FERRY_CLANG)

if(FERRY_CLANG)
  set(CMAKE_C_COMPILER clang)
  set(CMAKE_C_COMPILER_TARGET ${triple})
  # Debian keeps libgcc in GCC's own folder, where clang does not look.
  execute_process(COMMAND ${triple}-gcc -print-file-name=libgcc.a
    OUTPUT_VARIABLE libgcc OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  cmake_path(GET libgcc PARENT_PATH libgcc_dir)
  set(CMAKE_EXE_LINKER_FLAGS_INIT "-fuse-ld=lld -L${libgcc_dir}")
  set(CMAKE_MODULE_LINKER_FLAGS_INIT ${CMAKE_EXE_LINKER_FLAGS_INIT})
else()
  set(CMAKE_C_COMPILER ${triple}-gcc)
endif()
set(CMAKE_RC_COMPILER ${triple}-windres)

# CMAKE_PREFIX_PATH must stand here too, or FindSQLite3 looks only in the system root.
set(CMAKE_FIND_ROOT_PATH ${CMAKE_PREFIX_PATH} /usr/${triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# The `wine` wrapper looks for wine32 first and complains; call the 64-bit one.
find_program(WINE64 NAMES wine64 wine PATHS /usr/lib/wine)
if(WINE64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${WINE64})
endif()
