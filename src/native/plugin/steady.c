/*
 * rtpjitterbuffer follows the arrival of packets, since clocks of cameras drift: a packet that comes early moves all behind
 * it. Where units come in the order in which they are shown that costs a few ms. B-frames change places with their
 * neighbours by it, on a machine that is busy at the beginning of a stream by 80 ms at once. So in a stream that reorders
 * its own clock counts, and what the jitter buffer says moves it at keyframes, a little each time.
 */
#include "steady.h"

/* A unit with an earlier time than the one before it weighs as much as so many that are later: one in eight keeps it on. */
#define WEIGHT 8
#define MOST (8 * WEIGHT)
/* A keyframe moves the times by less than there is between two frames. */
#define NUDGE (10 * (GstClockTimeDiff) GST_MSECOND)
/* Times that are further apart are of a clock that was set. */
#define FAR (500 * (GstClockTimeDiff) GST_MSECOND)

static void look (Steady *steady, guint32 timestamp) {
  gint32 step = (gint32) (timestamp - steady->newest);
  if (step < 0) steady->reordering = MIN (steady->reordering + WEIGHT, MOST);
  else if (step > 0 && steady->reordering > 0) steady->reordering -= 1;
  steady->newest = timestamp;
}

static void begin (Steady *steady, guint32 timestamp, GstClockTime time) {
  steady->timestamp = timestamp;
  steady->time = time;
}

GstBuffer *steady_time (Steady *steady, GstBuffer *buffer, guint32 timestamp, gboolean keyframe) {
  GstClockTime time = GST_BUFFER_PTS (buffer);
  if (!GST_CLOCK_TIME_IS_VALID (time)) return buffer;
  if (!steady->begun) begin (steady, steady->newest = timestamp, time);
  steady->begun = TRUE;
  look (steady, timestamp);
  GstClockTimeDiff expected = (GstClockTimeDiff) steady->time + (GstClockTimeDiff) (gint32) (timestamp - steady->timestamp) * 100000 / 9;
  GstClockTimeDiff off = (GstClockTimeDiff) time - expected;
  if (steady->reordering == 0 || expected < 0 || ABS (off) > FAR) {
    begin (steady, timestamp, time);
    return buffer;
  }
  if (keyframe && timestamp != steady->timestamp) {
    expected += CLAMP (off, -NUDGE, NUDGE);
    begin (steady, timestamp, expected);
  }
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_PTS (buffer) = expected;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  return buffer;
}
