# Script: daemon/events.def -> the Event Log's message texts; or the page of events, the schema of the log's lines and the
# Event Viewer's views.
#   cmake -D IN=events.def [-D MC=events.mc] [-D TOP=events.md.in -D PAGE=events.md -D SCHEMA=events.schema.json -D VIEWS=folder]
#     -P events.cmake
#
# The table's lines, which the C code includes as an X macro:
#   EVENT_FIELD(name, "what it is")
#   EVENT(id, INFO|WARN|ERROR, name, fields, "sentence with {field}", "what an administrator should do")
# A message's full number, as ReportEvent wants it, is severity << 30 | id: INFO 1, WARN 2, ERROR 3, facility 0.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/table.cmake)

set(field "^${s}EVENT_FIELD${s}\\(${s}([a-z_]+)${comma}(${strings})${s}\\)")
set(event "^${s}EVENT${s}\\(${s}([0-9]+)${comma}([A-Z]+)${comma}([A-Za-z0-9_]+)${comma}([A-Za-z_() \t\n]+),${s}(${strings})${comma}(${strings})${s}\\)")
set(severity_INFO Informational)
set(severity_WARN Warning)
set(severity_ERROR Error)
# What stands for several inserts; runtime/events_table.c fills them in.
set(several_JOB job name owner correlation network_sid file_sid program)
set(several_CALLER caller image pid session)
set(several_FAULT error native http_status why)

set(known "") # fields, with what they are in meaning_<field>
set(fields_page "")
while(text MATCHES "${field}")
  string(LENGTH "${CMAKE_MATCH_0}" length)
  set(name ${CMAKE_MATCH_1})
  string_value("${CMAKE_MATCH_2}" meaning_${name})
  string(SUBSTRING "${text}" ${length} -1 text)
  list(APPEND known ${name})
  string(APPEND fields_page "| `${name}` | ${meaning_${name}} |\n")
endwhile()

# The inserts of `fields` into `inserts`, in their order, and those that are numbers into `numbers`.
set(numbers_JOB "")
set(numbers_CALLER pid session)
set(numbers_FAULT http_status)
function(inserts_of name fields)
  set(all "")
  set(counts "")
  string(REGEX MATCHALL "[A-Z]+(\\([a-z_]+\\))?" fields "${fields}")
  foreach(one IN LISTS fields)
    if(one MATCHES "^(STRING|NUMBER|TIME)\\((.+)\\)$")
      list(APPEND all ${CMAKE_MATCH_2})
      if(CMAKE_MATCH_1 STREQUAL NUMBER)
        list(APPEND counts ${CMAKE_MATCH_2})
      endif()
    elseif(DEFINED several_${one})
      list(APPEND all ${several_${one}})
      list(APPEND counts ${numbers_${one}})
    else()
      message(FATAL_ERROR "${IN}: ${name}: no such field: ${one}")
    endif()
  endforeach()
  foreach(one IN LISTS all)
    if(NOT one IN_LIST known)
      message(FATAL_ERROR "${IN}: ${name}: EVENT_FIELD does not say what ${one} is")
    endif()
  endforeach()
  set(distinct ${all})
  list(REMOVE_DUPLICATES distinct)
  if(NOT distinct STREQUAL all)
    message(FATAL_ERROR "${IN}: ${name}: a field stands there twice: ${all}")
  endif()
  set(inserts ${all} PARENT_SCOPE)
  set(numbers ${counts} PARENT_SCOPE)
endfunction()

# The line's schema, and the fields with their positions for the page; AT_<event>_<field> counts from 0.
function(describe name id level)
  string(TOLOWER ${name} event)
  string(REPLACE "_" "-" event ${event})
  set(properties "")
  set(shown "")
  set(position 0)
  foreach(one IN LISTS inserts)
    set(AT_${name}_${one} ${position} PARENT_SCOPE)
    math(EXPR position "${position} + 1")
    string(APPEND shown "${position} `${one}` ")
    if(one IN_LIST numbers)
      string(APPEND properties ",\n        \"${one}\": {\"$ref\": \"#/$defs/number\"}")
    else()
      string(APPEND properties ",\n        \"${one}\": {\"$ref\": \"#/$defs/text\"}")
    endif()
  endforeach()
  string(STRIP "${shown}" shown)
  list(JOIN inserts "\", \"" required)
  set(line "    \"${event}\": {
      \"type\": \"object\",
      \"additionalProperties\": false,
      \"required\": [\"time\", \"id\", \"event\", \"level\", \"message\", \"${required}\"],
      \"properties\": {
        \"time\": {\"$ref\": \"#/$defs/time\"},
        \"id\": {\"const\": ${id}},
        \"event\": {\"const\": \"${event}\"},
        \"level\": {\"const\": \"${level}\"},
        \"message\": {\"$ref\": \"#/$defs/text\"}${properties}
      }
    }")
  set(one_of "${one_of},\n    {\"$ref\": \"#/$defs/${event}\"}" PARENT_SCOPE)
  set(lines "${lines},\n${line}" PARENT_SCOPE)
  set(shown "${shown}" PARENT_SCOPE)
endfunction()

# The sentence as FormatMessage wants it, into `numbered`.
function(number_sentence name sentence)
  set(position 1)
  foreach(one IN LISTS inserts)
    string(REPLACE "{${one}}" "%${position}" sentence "${sentence}")
    math(EXPR position "${position} + 1")
  endforeach()
  string(REGEX REPLACE "%[1-9][0-9]?" "" rest "${sentence}")
  if(rest MATCHES "[^ -~]|[%{}\\]" OR sentence MATCHES "%[0-9]+[!]") # FormatMessage and windmc would make something else of it
    message(FATAL_ERROR "${IN}: ${name}: plain ASCII with the event's fields in braces, no %, no escapes: ${sentence}")
  endif()
  set(numbered "${sentence}" PARENT_SCOPE)
endfunction()

set(ids "")
set(names "")
set(used "")
set(messages "")
set(page "")
set(one_of "")
set(lines "")
set(of_problems "")
set(of_requests "")
set(of_jobs "")
set(of_service "")
while(NOT text MATCHES "^${s}$")
  if(NOT text MATCHES "${event}")
    string(SUBSTRING "${text}" 0 300 here)
    message(FATAL_ERROR "${IN}: no EVENT(...) can be read here:\n${here}")
  endif()
  string(LENGTH "${CMAKE_MATCH_0}" length)
  set(id ${CMAKE_MATCH_1})
  set(level ${CMAKE_MATCH_2})
  set(name ${CMAKE_MATCH_3})
  set(fields "${CMAKE_MATCH_4}")
  set(sentence "${CMAKE_MATCH_5}")
  set(advice "${CMAKE_MATCH_7}")
  string(SUBSTRING "${text}" ${length} -1 text)
  string_value("${sentence}" sentence)
  string_value("${advice}" advice)

  if(NOT DEFINED severity_${level})
    message(FATAL_ERROR "${IN}: ${name}: no such level: ${level}")
  elseif(id LESS 1 OR id GREATER 65535)
    message(FATAL_ERROR "${IN}: ${name}: id ${id} is not in 1..65535")
  elseif(id IN_LIST ids OR name IN_LIST names)
    message(FATAL_ERROR "${IN}: ${name}: the name or the id ${id} is taken")
  endif()
  inserts_of(${name} "${fields}")
  number_sentence(${name} "${sentence}")
  list(APPEND ids ${id})
  list(APPEND names ${name})
  list(APPEND used ${inserts})
  string(APPEND messages "\nMessageId=${id}\nSeverity=${severity_${level}}\nFacility=Ferry\n"
    "SymbolicName=FERRY_EVENT_${id}\nLanguage=English\n${numbered}\n.\n")
  string(TOLOWER ${level} level)
  string(REPLACE "|" "\\|" sentence "${sentence}")
  string(REPLACE "|" "\\|" advice "${advice}")
  describe(${name} ${id} ${level})
  string(APPEND page "| ${id} | ${level} | `${name}` | ${sentence} | ${shown} | ${advice} |\n")
  if(NOT level STREQUAL info)
    list(APPEND of_problems ${id})
  endif()
  if("caller" IN_LIST inserts)
    list(APPEND of_requests ${id})
  endif()
  if("name" IN_LIST inserts)
    list(APPEND of_jobs ${id})
  elseif(NOT "caller" IN_LIST inserts)
    list(APPEND of_service ${id})
  endif()
endwhile()
foreach(one IN LISTS known)
  if(NOT one IN_LIST used)
    message(FATAL_ERROR "${IN}: no event has the field ${one}")
  endif()
endforeach()

if(MC)
  file(WRITE ${MC} "; // Generated by cmake/events.cmake from daemon/events.def: do not edit.
MessageIdTypedef=DWORD
SeverityNames=(Informational=0x1:FERRY_INFORMATIONAL Warning=0x2:FERRY_WARNING Error=0x3:FERRY_ERROR)
FacilityNames=(Ferry=0x0:FERRY_FACILITY)
LanguageNames=(English=0x409:MSG00409)
${messages}")
endif()
if(PAGE)
  file(READ ${TOP} top)
  set(EVENTS "${page}")
  set(FIELDS "${fields_page}")
  string(CONFIGURE "${top}" top @ONLY)
  string(STRIP "${top}" top)
  file(WRITE ${PAGE} "<!-- Generated by cmake/events.cmake from daemon/events.def: do not edit. -->\n${top}\n")
endif()
if(SCHEMA)
  string(SUBSTRING "${one_of}" 2 -1 one_of)
  file(WRITE ${SCHEMA} "{
  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",
  \"title\": \"A line of Ferry's ferry.jsonl\",
  \"$comment\": \"Generated by cmake/events.cmake from daemon/events.def: do not edit. docs/events.md says what it all means.\",
  \"oneOf\": [
${one_of}
  ],
  \"$defs\": {
    \"time\": {\"type\": \"string\", \"pattern\": \"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$\"},
    \"text\": {\"type\": \"string\"},
    \"number\": {\"type\": \"integer\", \"minimum\": 0}${lines}
  }
}
")
endif()

# A view of the Event Viewer's.  It takes no more than some twenty terms in one selection.
function(write_view file name description)
  set(rest ${ARGN})
  list(SORT rest COMPARE NATURAL)
  set(selects "")
  while(rest)
    list(SUBLIST rest 0 20 some)
    list(REMOVE_ITEM rest ${some})
    list(TRANSFORM some PREPEND "EventID=")
    list(JOIN some " or " some)
    string(APPEND selects "          <Select Path=\"Ferry\">*[System[Provider[@Name='Ferry'] and (${some})]]</Select>\n")
  endwhile()
  file(WRITE ${VIEWS}/${file} "<!-- Generated by cmake/events.cmake from daemon/events.def: do not edit. -->
<ViewerConfig>
  <QueryConfig>
    <QueryParams>
      <UserQuery/>
    </QueryParams>
    <QueryNode>
      <Name>${name}</Name>
      <Description>${description}</Description>
      <QueryList>
        <Query Id=\"0\" Path=\"Ferry\">
${selects}        </Query>
      </QueryList>
    </QueryNode>
  </QueryConfig>
</ViewerConfig>
")
endfunction()
if(VIEWS)
  write_view(ferry-problems.xml "Ferry: problems" "Warnings and errors: what needs somebody, or may." ${of_problems})
  write_view(ferry-requests.xml "Ferry: requests" "What somebody asked for, or was refused, and by which program." ${of_requests})
  write_view(ferry-jobs.xml "Ferry: jobs" "All about jobs and their files." ${of_jobs})
  write_view(ferry-service.xml "Ferry: service" "The service, its queue, its configuration, the network." ${of_service})
endif()
