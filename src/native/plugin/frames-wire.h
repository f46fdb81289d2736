/* What a reader of frames gets, in the bytes of the GStreamer Data Protocol 1.0 (elements gdppay, gdpdepay): packets with a header of 62 bytes, big endian. */
#ifndef LOOKOUT_FRAMES_WIRE_H
#define LOOKOUT_FRAMES_WIRE_H
#include <gst/gst.h>

#define GDP_HEADER_BYTES 62

/* Before the first frame a reader gets, and after a change of format: the run, the format, and when its running time is 0. */
GByteArray *frames_preamble (const char *stream_id, const GstCaps *caps, guint64 start_ns);
/* The header of a frame: when it was taken (ns since the epoch), its number, and how many bytes follow. */
void frames_header (guint8 *header, guint64 time_ns, guint64 duration_ns, guint64 sequence, gsize bytes);

/* shmsink's commands, host byte order (shmpipe.c of gst-plugins-bad, part of its interface: both ends may be different programs). */
enum { SHM_NEW_AREA = 1, SHM_CLOSE_AREA = 2, SHM_NEW_BUFFER = 3, SHM_ACK_BUFFER = 4 };
typedef struct {
  unsigned int type;
  int area;
  union {
    struct { size_t size; unsigned int path_size; } area; /* the path follows, with its zero */
    struct { unsigned long offset, size; } buffer;
  } is;
} ShmCommand;
G_STATIC_ASSERT (sizeof (ShmCommand) == 8 + 2 * sizeof (unsigned long));

#endif
