/* tests/support/ground_speaker - who the calling thread speaks as, where a server can see it.
 *
 * On the Linux ground it is the thread's real uid.  Under Wine no server ever sees another client than itself, so that
 * nothing can be proved there.
 */
#ifndef FERRY_TESTS_SUPPORT_GROUND_SPEAKER_H
#define FERRY_TESTS_SUPPORT_GROUND_SPEAKER_H

#include <stdbool.h>

bool ground_speaker_is_seen(void);
/* From now on the thread's messages carry this identity.  False: may not, or not on this ground. */
bool ground_speak_as(unsigned id);
unsigned ground_speaker(void);

#endif
