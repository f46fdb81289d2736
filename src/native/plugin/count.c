/*
 * lookoutcount: counts access units and keyframes, and notes the codec's parameter sets, where they pass. What comes before
 * the first keyframe is counted and goes no further: nobody can decode it, and a recording would begin with it. Times that
 * cannot be are mended (times.c), and nothing is to be shown more than a second after it came: rtpjitterbuffer follows a clock that
 * runs ahead so far, and rtpbin may add three seconds to it for the sake of the sound, by a sender report of that clock.
 */
#include <string.h>
#include "box.h"
#include "times.h"

typedef struct { GstElement parent; GstPad *source; Notes *notes; gboolean begun; Times times; } LookoutCount;
typedef struct { GstElementClass parent; } LookoutCountClass;

/* How far ahead of its arrival a frame may be. */
#define AHEAD GST_SECOND

G_DEFINE_TYPE (LookoutCount, lookout_count, GST_TYPE_ELEMENT)

/* The time of its pipeline is what its segment counts from 0 (`rtspsrc` is live). */
static GstBuffer *not_ahead (LookoutCount *self, GstBuffer *buffer) {
  GstClockTime now = gst_element_get_current_running_time (GST_ELEMENT (self)), time = GST_BUFFER_PTS (buffer);
  if (!GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (time) || time <= now + AHEAD) return buffer;
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_PTS (buffer) = now + AHEAD;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  return buffer;
}

static GstFlowReturn count_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  (void) pad;
  LookoutCount *self = (LookoutCount *) parent;
  gboolean keyframe = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (!self->notes->replaying) lookout_notes_frame (self->notes, keyframe);
  self->begun |= keyframe;
  if (self->begun) return gst_pad_push (self->source, times_mend (&self->times, not_ahead (self, buffer), keyframe, FALSE));
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void note_format (Box *box, GstCaps *caps) {
  const GValue *value = gst_structure_get_value (gst_caps_get_structure (caps, 0), "codec_data");
  GstBuffer *data = value != NULL && GST_VALUE_HOLDS_BUFFER (value) ? gst_value_get_buffer (value) : NULL;
  if (data == NULL || gst_buffer_get_size (data) > FORMAT_BYTES) return;
  /* The serial is odd while it is written: whoever reads meanwhile comes again. */
  __atomic_store_n (&box->counters.format_serial, box->counters.format_serial + 1, __ATOMIC_RELEASE);
  box->counters.format_length = gst_buffer_extract (data, 0, box->format, FORMAT_BYTES);
  __atomic_store_n (&box->counters.format_serial, box->counters.format_serial + 1, __ATOMIC_RELEASE);
}

static gboolean count_event (GstPad *pad, GstObject *parent, GstEvent *event) {
  Box *box = ((LookoutCount *) parent)->notes->box;
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS && box != NULL) {
    GstCaps *caps = NULL;
    gst_event_parse_caps (event, &caps);
    note_format (box, caps);
  }
  return gst_pad_event_default (pad, parent, event);
}

static void lookout_count_class_init (LookoutCountClass *class) {
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  gst_element_class_set_static_metadata (element, "Frame counter", "Generic", "Counts frames and keyframes", "Lookout");
  lookout_pad_templates (element);
}

static void lookout_count_init (LookoutCount *self) {
  lookout_add_pads (GST_ELEMENT (self), &self->source, count_chain, count_event);
  self->notes = lookout_notes ();
}
