/* Presentation times of streams with B-frames, along the camera's own clock from keyframe to keyframe. */
#ifndef LOOKOUT_STEADY_H
#define LOOKOUT_STEADY_H
#include <gst/gst.h>

/* `reordering`: above 0 while units come in another order than they are shown in. `time` is that of the RTP time `timestamp`. Zeroed, it has seen nothing. */
typedef struct { gboolean begun; guint reordering; guint32 newest, timestamp; GstClockTime time; } Steady;

/* Gives a packet of video the time that follows from its RTP time, where the stream reorders. Takes and returns the buffer. */
GstBuffer *steady_time (Steady *steady, GstBuffer *buffer, guint32 timestamp, gboolean keyframe);

#endif
