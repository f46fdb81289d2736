#include <string.h>
#include "frames-wire.h"

/* Payload types; that of an event is the event's own on top. */
enum { GDP_BUFFER = 1, GDP_CAPS = 2, GDP_EVENT = 64 };

/* No checksums: the flags say so, and what runs over loopback or shared memory needs none. */
static void write_header (guint8 *header, guint type, gsize bytes) {
  memset (header, 0, GDP_HEADER_BYTES);
  header[0] = 1;
  GST_WRITE_UINT16_BE (header + 4, type);
  GST_WRITE_UINT32_BE (header + 6, bytes);
  GST_WRITE_UINT64_BE (header + 10, GST_CLOCK_TIME_NONE);
}

void frames_header (guint8 *header, guint64 time_ns, guint64 duration_ns, guint64 sequence, gsize bytes) {
  write_header (header, GDP_BUFFER, bytes);
  GST_WRITE_UINT64_BE (header + 10, time_ns);
  GST_WRITE_UINT64_BE (header + 18, duration_ns);
  GST_WRITE_UINT64_BE (header + 26, sequence);
  GST_WRITE_UINT64_BE (header + 34, sequence + 1);
  GST_WRITE_UINT64_BE (header + 44, GST_CLOCK_TIME_NONE);
}

static void append (GByteArray *packets, guint type, char *text) {
  guint8 header[GDP_HEADER_BYTES];
  gsize bytes = strlen (text) + 1;
  write_header (header, type, bytes);
  g_byte_array_append (packets, header, sizeof (header));
  g_byte_array_append (packets, (guint8 *) text, bytes);
  g_free (text);
}

static void append_event (GByteArray *packets, GstEvent *event) {
  append (packets, GDP_EVENT + GST_EVENT_TYPE (event), gst_structure_to_string (gst_event_get_structure (event)));
  gst_event_unref (event);
}

GByteArray *frames_preamble (const char *stream_id, const GstCaps *caps, guint64 start_ns) {
  GByteArray *packets = g_byte_array_new ();
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start_ns;
  append_event (packets, gst_event_new_stream_start (stream_id));
  append (packets, GDP_CAPS, gst_caps_to_string (caps));
  append_event (packets, gst_event_new_segment (&segment));
  return packets;
}
