/* The presentation times of a video stream, so that what reads them can rely on them. */
#ifndef LOOKOUT_TIMES_H
#define LOOKOUT_TIMES_H
#include <gst/gst.h>

#define TIMES_KEPT 16

/*
 * `latest`: the highest so far; `floor`: what frames of this GOP must be above. `ordered`: frames come in the order in which
 * they are shown, as GOPs so far told; `frames` and `earlier` count those of this one, `against` the GOPs that said otherwise.
 * Zeroed, it has seen nothing.
 */
typedef struct { gboolean begun, ordered; GstClockTime latest, floor, kept[TIMES_KEPT]; guint at, gops, frames, earlier, against; } Times;

/* Gives a buffer another time where its own cannot be. `strict`: nothing of a GOP is shown before its keyframe. Takes and returns the buffer. */
GstBuffer *times_mend (Times *times, GstBuffer *buffer, gboolean keyframe, gboolean strict);

#endif
