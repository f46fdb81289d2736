/* Whether decoding can begin with an access unit, by what it holds. */
#ifndef LOOKOUT_RANDOM_ACCESS_H
#define LOOKOUT_RANDOM_ACCESS_H
#include <gst/gst.h>

typedef enum { UNITS_OTHER = 0, UNITS_H264 = 1, UNITS_H265 = 2 } UnitCodec;

/* `lengths`: each NAL unit follows its length, four bytes, and no start code. `since`: the last unit that was one, or the first that its parser took for one, µs of g_get_monotonic_time. Zeroed, it believes its parser. */
typedef struct { UnitCodec codec; gboolean lengths; gint64 since; } RandomAccess;

/* Takes the form of the units from the caps of a stream. */
void random_access_caps (RandomAccess *self, const GstCaps *caps);
/* `parsed`: what a parser took it for. FALSE where it holds no picture that others do not need. */
gboolean random_access_begins (RandomAccess *self, GstBuffer *buffer, gboolean parsed);

#endif
