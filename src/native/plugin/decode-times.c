/*
 * Units are decoded at the sorted times at which they are shown, so many units earlier as the stream reorders: then none
 * is shown before it is decoded. h264timestamper 1.22 does that only where the SPS says how deep, which SPS of cameras do not.
 */
#include "decode-times.h"

/* So many units, or a GOP, show how deep a stream reorders. Nothing waits for it: no segment ends before the second GOP begins. */
#define MOST_HELD 64
#define STEP GST_MSECOND
/* One tick of MPEG-TS. */
#define TICK (GST_SECOND / 90000 + 1)

void decode_times_init (DecodeTimes *times) {
  g_queue_init (&times->held);
  times->last = GST_CLOCK_TIME_NONE;
}

void decode_times_clear (DecodeTimes *times) {
  g_queue_clear_full (&times->held, (GDestroyNotify) gst_buffer_unref);
}

static void put (DecodeTimes *times, GstClockTime time) {
  guint at = times->count++;
  for (; at > 0 && times->ahead[at - 1] > time; at -= 1) times->ahead[at] = times->ahead[at - 1];
  times->ahead[at] = time;
}

static GstClockTime lowest (DecodeTimes *times) {
  GstClockTime time = times->ahead[0];
  times->count -= 1;
  memmove (times->ahead, times->ahead + 1, times->count * sizeof (GstClockTime));
  return time;
}

/* How many units at most come before one and are shown after it. */
static guint depth_of (GQueue *held) {
  guint depth = 0;
  for (GList *each = held->head; each != NULL; each = each->next) {
    guint later = 0;
    for (GList *before = each->prev; before != NULL; before = before->prev) if (GST_BUFFER_PTS (before->data) > GST_BUFFER_PTS (each->data)) later += 1;
    depth = MAX (depth, later);
  }
  return MIN (depth, DEEPEST);
}

static void judge (DecodeTimes *times) {
  GstBuffer *first = g_queue_peek_head (&times->held);
  GstClockTime begin = GST_BUFFER_PTS (first), end = begin;
  for (GList *each = times->held.head; each != NULL; each = each->next) end = MAX (end, GST_BUFFER_PTS (each->data));
  times->judged = TRUE;
  times->depth = depth_of (&times->held);
  /* As far as there is room for it the first ones are decoded at the pace of the others. */
  GstClockTime room = MIN (begin, times->held.length < 2 ? 0 : (end - begin) / (times->held.length - 1) * times->depth);
  for (guint i = 0; i < times->depth; i += 1) put (times, begin - room * (times->depth - i) / times->depth);
}

static GstFlowReturn stamp_and_push (DecodeTimes *times, GstBuffer *buffer, GstPad *pad) {
  GstClockTime shown = GST_BUFFER_PTS (buffer), time;
  put (times, shown);
  time = lowest (times);
  if (GST_CLOCK_TIME_IS_VALID (times->last) && time < times->last + STEP) time = times->last + STEP;
  if (time > shown) time = shown;
  if (GST_CLOCK_TIME_IS_VALID (times->last) && time < times->last + TICK) {
    /* It reorders deeper than it showed; the next ones have more room. */
    time = times->last + TICK;
    if (times->depth < DEEPEST) {
      times->depth += 1;
      put (times, shown);
    }
  }
  times->last = time;
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_DTS (buffer) = time;
  return gst_pad_push (pad, buffer);
}

GstFlowReturn decode_times_flush (DecodeTimes *times, GstPad *pad) {
  GstFlowReturn flow = GST_FLOW_OK;
  if (times->held.length == 0) return flow;
  if (!times->judged) judge (times);
  while (times->held.length > 0) {
    GstBuffer *buffer = g_queue_pop_head (&times->held);
    if (flow == GST_FLOW_OK) flow = stamp_and_push (times, buffer, pad);
    else gst_buffer_unref (buffer);
  }
  return flow;
}

GstFlowReturn decode_times_push (DecodeTimes *times, GstBuffer *buffer, gboolean keyframe, GstPad *pad) {
  /* Before the first time that is known nothing can be said. */
  if (!GST_BUFFER_PTS_IS_VALID (buffer)) return gst_pad_push (pad, buffer);
  if (times->judged) return stamp_and_push (times, buffer, pad);
  gboolean enough = times->held.length >= MOST_HELD || (keyframe && times->held.length > 0);
  GstFlowReturn flow = enough ? decode_times_flush (times, pad) : GST_FLOW_OK;
  if (flow == GST_FLOW_OK && times->judged) return stamp_and_push (times, buffer, pad);
  g_queue_push_tail (&times->held, buffer);
  return flow;
}
