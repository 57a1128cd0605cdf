# Script: daemon/core/settings.def -> the page of the configuration, and Group Policy's templates.
#   cmake -D IN=settings.def -D TOP=configuration.md.in -D PAGE=configuration.md -D ADMX=ferry.admx -D ADML=ferry.adml -P settings.cmake
#
# The table's lines: SETTING(group, name, minimum, default, maximum, "why"), SETTING_AT_START the same,
# SETTING_WHO(group, name, default, "why"), SETTING_LIST(group, name, of what, most items, most bytes of one, "why")
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/table.cmake)

set(word "([A-Za-z0-9_]+)")
set(number "^${s}(SETTING|SETTING_AT_START)${s}\\(${s}${word}${comma}${word}${comma}([0-9]+)${comma}([0-9]+)${comma}([0-9]+)${comma}(${strings})${s}\\)")
set(who "^${s}SETTING_WHO${s}\\(${s}${word}${comma}${word}${comma}([0-4])${comma}(${strings})${s}\\)")
set(list "^${s}SETTING_LIST${s}\\(${s}${word}${comma}${word}${comma}([A-Z_]+)${comma}([0-9]+)${comma}([0-9]+)${comma}(${strings})${s}\\)")

set(who_0 none)
set(who_1 foreground)
set(who_2 high)
set(who_3 normal)
set(who_4 all)
set(item_OWNER "SIDs of owners, S-1-5-...")
set(item_FOLDER "absolute paths of folders")
set(item_LOCAL_FOLDER "the absolute path of a folder on this machine")
set(item_RATE "WHO RATE, or DAYS FROM-TO WHO RATE")
set(item_HOST "hosts without port, *.DOMAIN, or *")
set(item_CA_FILE "HOST FILE")
set(item_PROXY "HOST PROXY, or HOST direct")
set(item_SCHEME "http, https or share")
set(item_URL "URLs without query, with all that lies below them")
set(item_AUTH_SCHEME "basic, digest, ntlm or negotiate")
set(item_PIN "HOST sha256//BASE64")

set(page "")
set(categories "")
set(policies "")
set(texts "")
set(presentations "")
set(last_group "")
set(groups "")

function(unit_of name ret)
  set(unit "")
  if(name MATCHES "bytes")
    set(unit bytes)
  elseif(name MATCHES "_ms$")
    set(unit milliseconds)
  elseif(name MATCHES "_s$")
    set(unit seconds)
  endif()
  set(${ret} "${unit}" PARENT_SCOPE)
endfunction()

function(escape text ret)
  string(REPLACE "&" "&amp;" text "${text}")
  string(REPLACE "<" "&lt;" text "${text}")
  string(REPLACE ">" "&gt;" text "${text}")
  set(${ret} "${text}" PARENT_SCOPE)
endfunction()

# One setting, in all three.  What `allowed` and `standard` say is for people.
macro(add group name why allowed standard at_start kind element presentation)
  if(NOT "${group}" STREQUAL "${last_group}")
    set(last_group ${group})
    if("|${group}|" IN_LIST groups)
      message(FATAL_ERROR "${IN}: ${group}.${name}: the rows of a group stand together")
    endif()
    list(APPEND groups "|${group}|")
    string(APPEND page "\n## ${group}\n\n| key | allowed | default | read again | policy value | what it is for |\n|---|---|---|---|---|---|\n")
    string(APPEND categories "    <category name=\"Ferry_${group}\" displayName=\"$(string.Ferry_${group})\">\n      <parentCategory ref=\"Ferry\" />\n    </category>\n")
    string(APPEND texts "      <string id=\"Ferry_${group}\">${group}</string>\n")
  endif()
  set(again yes)
  if(${at_start})
    set(again "no")
  endif()
  string(REPLACE "|" "\\|" cell "${why}")
  string(REPLACE "*" "\\*" allowed_cell "${allowed}")
  string(APPEND page "| `${group}.${name}` | ${allowed_cell} | ${standard} | ${again} | ${kind} | ${cell} |\n")
  escape("${why}" why_xml)
  escape("${allowed}" allowed_xml)
  set(id ${group}_${name})
  string(APPEND policies "    <policy name=\"${id}\" class=\"Machine\" displayName=\"$(string.${id})\" explainText=\"$(string.${id}_Help)\" "
    "presentation=\"$(presentation.${id})\" key=\"SOFTWARE\\Policies\\Ferry\">\n      <parentCategory ref=\"Ferry_${group}\" />\n"
    "      <supportedOn ref=\"SUPPORTED_Ferry\" />\n      <elements>\n${element}      </elements>\n    </policy>\n")
  string(APPEND texts "      <string id=\"${id}\">${group}.${name}</string>\n      <string id=\"${id}_Help\">${why_xml}\n\n"
    "Allowed: ${allowed_xml}. Without this policy it is what Ferry's files say, else ${standard}.</string>\n")
  string(APPEND presentations "      <presentation id=\"${id}\">\n${presentation}      </presentation>\n")
endmacro()

while(NOT text MATCHES "^${s}$")
  if(text MATCHES "${number}")
    string(LENGTH "${CMAKE_MATCH_0}" length)
    set(at_start OFF)
    if(CMAKE_MATCH_1 STREQUAL "SETTING_AT_START")
      set(at_start ON)
    endif()
    set(group ${CMAKE_MATCH_2})
    set(name ${CMAKE_MATCH_3})
    set(minimum ${CMAKE_MATCH_4})
    set(standard ${CMAKE_MATCH_5})
    set(maximum ${CMAKE_MATCH_6})
    string_value("${CMAKE_MATCH_7}" why)
    if(maximum GREATER 4294967295)
      message(FATAL_ERROR "${IN}: ${group}.${name}: a policy's number has 32 bits")
    endif()
    unit_of(${name} unit)
    string(STRIP "${minimum} to ${maximum} ${unit}" allowed)
    add(${group} ${name} "${why}" "${allowed}" "${standard}" ${at_start} REG_DWORD
      "        <decimal id=\"${group}_${name}_Value\" valueName=\"${group}.${name}\" required=\"true\" minValue=\"${minimum}\" maxValue=\"${maximum}\" />\n"
      "        <decimalTextBox refId=\"${group}_${name}_Value\" defaultValue=\"${standard}\" spin=\"false\">${allowed}:</decimalTextBox>\n")
  elseif(text MATCHES "${who}")
    string(LENGTH "${CMAKE_MATCH_0}" length)
    set(group ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    set(standard ${CMAKE_MATCH_3})
    string_value("${CMAKE_MATCH_4}" why)
    set(items "")
    foreach(priority RANGE 4)
      string(APPEND items "          <item displayName=\"$(string.Who_${who_${priority}})\">\n            <value>\n              <string>${who_${priority}}</string>\n            </value>\n          </item>\n")
    endforeach()
    add(${group} ${name} "${why}" "all, normal, high, foreground or none" "${who_${standard}}" OFF REG_SZ
      "        <enum id=\"${group}_${name}_Value\" valueName=\"${group}.${name}\" required=\"true\">\n${items}        </enum>\n"
      "        <dropdownList refId=\"${group}_${name}_Value\" noSort=\"true\" defaultItem=\"${standard}\">Jobs that fetch:</dropdownList>\n")
  elseif(text MATCHES "${list}")
    string(LENGTH "${CMAKE_MATCH_0}" length)
    set(group ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    set(item ${CMAKE_MATCH_3})
    set(count ${CMAKE_MATCH_4})
    set(bytes ${CMAKE_MATCH_5})
    string_value("${CMAKE_MATCH_6}" why)
    if(NOT DEFINED item_${item})
      message(FATAL_ERROR "${IN}: ${group}.${name}: say in cmake/settings.cmake what a ${item} looks like")
    endif()
    add(${group} ${name} "${why}" "a list of at most ${count}, each of at most ${bytes} bytes: ${item_${item}}" "no entries" OFF REG_MULTI_SZ
      "        <multiText id=\"${group}_${name}_Value\" valueName=\"${group}.${name}\" required=\"true\" maxLength=\"${bytes}\" maxStrings=\"${count}\" />\n"
      "        <multiTextBox refId=\"${group}_${name}_Value\">${item_${item}}:</multiTextBox>\n")
  else()
    string(SUBSTRING "${text}" 0 300 here)
    message(FATAL_ERROR "${IN}: no SETTING(...) can be read here:\n${here}")
  endif()
  string(SUBSTRING "${text}" ${length} -1 text)
endwhile()

set(made "Generated by cmake/settings.cmake from daemon/core/settings.def: do not edit.")
file(READ ${TOP} top)
file(WRITE ${PAGE} "<!-- Generated by cmake/settings.cmake from daemon/core/settings.def and cmake/configuration.md.in: do not edit. -->
${top}${page}")
set(schema "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" revision=\"1.0\" schemaVersion=\"1.0\" xmlns=\"http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions\"")
file(WRITE ${ADMX} "<?xml version=\"1.0\" encoding=\"utf-8\"?>
<!-- ${made} -->
<policyDefinitions ${schema}>
  <policyNamespaces>
    <target prefix=\"ferry\" namespace=\"Ferry.Policies\" />
  </policyNamespaces>
  <resources minRequiredRevision=\"1.0\" />
  <supportedOn>
    <definitions>
      <definition name=\"SUPPORTED_Ferry\" displayName=\"$(string.SUPPORTED_Ferry)\" />
    </definitions>
  </supportedOn>
  <categories>
    <category name=\"Ferry\" displayName=\"$(string.Ferry)\" />
${categories}  </categories>
  <policies>
${policies}  </policies>
</policyDefinitions>
")
file(WRITE ${ADML} "<?xml version=\"1.0\" encoding=\"utf-8\"?>
<!-- ${made} -->
<policyDefinitionResources ${schema}>
  <displayName>Ferry</displayName>
  <description>What the download service Ferry may do.</description>
  <resources>
    <stringTable>
      <string id=\"SUPPORTED_Ferry\">Ferry 0.1 and later</string>
      <string id=\"Ferry\">Ferry download service</string>
      <string id=\"Who_none\">none</string>
      <string id=\"Who_foreground\">foreground</string>
      <string id=\"Who_high\">high and foreground</string>
      <string id=\"Who_normal\">normal, high and foreground</string>
      <string id=\"Who_all\">all</string>
${texts}    </stringTable>
    <presentationTable>
${presentations}    </presentationTable>
  </resources>
</policyDefinitionResources>
")
