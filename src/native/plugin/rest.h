/* What lets a depayloader rest while nobody reads what it makes. */
#ifndef LOOKOUT_REST_H
#define LOOKOUT_REST_H
#include "box.h"

/* Somebody reads: returns once the running GOP has gone through. From any thread that holds no lock of a pad's. Counted. */
void lookout_rest_want (Notes *notes);
/* And does no longer. */
void lookout_rest_leave (Notes *notes);

/* The name of the event that says, in the stream, that what a hub keeps is old from now on. */
#define LOOKOUT_REST_EVENT "lookout-rest"

#endif
