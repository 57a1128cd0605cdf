# For scripts that read a table of the C code, an X macro's file: NAME(word, "text", ...), one entry after another.
# Entries may span lines, and adjacent strings join as in C.  Gives `text`, the file ${IN} without comments, and what
# regular expressions for an entry are made of; string_value() turns the literals that one matched into their text.
file(READ ${IN} text)
string(REPLACE "\r" "" text "${text}")

# Escaped characters step aside, so that a string is simply "[^"]*".
string(ASCII 1 backslash)
string(ASCII 2 quote)
string(REPLACE "\\\\" "${backslash}" text "${text}")
string(REPLACE "\\\"" "${quote}" text "${text}")
set(s "[ \t\n]*")
function(string_value literal ret)
  string(REGEX REPLACE "\"${s}\"" "" value "${literal}")
  string(REGEX REPLACE "^\"|\"$" "" value "${value}")
  string(REPLACE "${backslash}" "\\" value "${value}")
  string(REPLACE "${quote}" "\"" value "${value}")
  set(${ret} "${value}" PARENT_SCOPE)
endfunction()

# Comments and preprocessor lines.
string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" "" text "${text}")
string(REGEX REPLACE "(^|\n)[ \t]*(#|//)[^\n]*" "\\1" text "${text}")

set(strings "\"[^\"]*\"(${s}\"[^\"]*\")*")
set(comma "${s},${s}")
