/* client/cli/bundle - all that helps somebody else to find out what is wrong, in one archive, without secrets.
 *
 * What is in it is what the verbs show whoever runs this, and the service's log where he may read it.
 */
#ifndef FERRY_CLI_BUNDLE_H
#define FERRY_CLI_BUNDLE_H

#include "cli/cli.h"

/* Of a service that is connected, or of none; `report`: the findings, as JSON lines; `data_folder` "": not told.
 * CLI_OK, or the code after saying why there is none. */
int bundle_write(struct cli *cli, const char *path, struct text_view report, const char *data_folder);

#endif
