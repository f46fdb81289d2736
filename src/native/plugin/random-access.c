/*
 * h264parse takes any access unit for a keyframe whose slice header reads as one of an I slice; in a damaged one that is what chance
 * makes of it, and a file that begins with it shows nothing until the next keyframe. Here an IDR or IRAP picture must come first
 * (H.264 table 7-1, H.265 table 7-1), or a recovery point before the picture (H.264 §D.1.8), as ffmpeg asks for. A camera that sends neither
 * for ten seconds is believed what its parser says: better a file that begins grey than none.
 */
#include "nal.h"
#include "random-access.h"

#define PATIENCE (10 * G_USEC_PER_SEC)
#define LENGTH_SIZE 4
#define H264_IDR 5
#define H264_SEI 6
#define SEI_RECOVERY_POINT 6
#define H265_IRAP_FIRST 16
#define H265_IRAP_LAST 23
#define H265_VCL_LAST 31

void random_access_caps (RandomAccess *self, const GstCaps *caps) {
  const GstStructure *form = gst_caps_get_structure (caps, 0);
  const gchar *units = gst_structure_get_string (form, "stream-format");
  self->codec = gst_structure_has_name (form, "video/x-h264") ? UNITS_H264 : gst_structure_has_name (form, "video/x-h265") ? UNITS_H265 : UNITS_OTHER;
  if (units == NULL) self->codec = UNITS_OTHER;
  self->lengths = g_strcmp0 (units, "byte-stream") != 0;
}

/* Where the next start code ends, or the end of the data. */
static gsize behind_start_code (const guint8 *data, gsize size, gsize at) {
  for (; at + 3 <= size; at += 1) if (data[at] == 0 && data[at + 1] == 0 && data[at + 2] == 1) return at + 3;
  return size;
}

/* The next NAL unit; FALSE at the end, or where a length lies. Of a byte stream its length is that of all that follows: only its beginning is read. */
static gboolean next_unit (const RandomAccess *self, const guint8 *data, gsize size, gsize *at, const guint8 **unit, gsize *length) {
  if (self->lengths) return nal_next (data, size, at, LENGTH_SIZE, unit, length);
  *at = behind_start_code (data, size, *at);
  *unit = data + *at;
  *length = size - *at;
  return *length > 0;
}

/* H.264 §7.3.2.3.1; bytes against emulation are not taken out, which only moves what lies behind a long message. In a byte stream it ends where its trailing bits are followed by a start code. */
static gboolean has_recovery_point (const guint8 *unit, gsize length) {
  gsize at = 1;
  while (at + 2 < length) {
    guint type = 0, bytes = 0;
    if (unit[at] == 0x80 && unit[at + 1] == 0 && unit[at + 2] == 0) return FALSE;
    while (at < length && unit[at] == 0xff) type += unit[at++];
    if (at < length) type += unit[at++];
    while (at < length && unit[at] == 0xff) bytes += unit[at++];
    if (at < length) bytes += unit[at++];
    if (type == SEI_RECOVERY_POINT) return at < length;
    at += bytes;
  }
  return FALSE;
}

/* By what comes first of its pictures. */
static gboolean holds (const RandomAccess *self, const guint8 *data, gsize size) {
  const guint8 *unit;
  gsize at = 0, length;
  gboolean recovers = FALSE;
  while (next_unit (self, data, size, &at, &unit, &length)) {
    guint type = self->codec == UNITS_H264 ? unit[0] & 0x1f : (unit[0] >> 1) & 0x3f;
    if (self->codec == UNITS_H265 && type <= H265_VCL_LAST) return type >= H265_IRAP_FIRST && type <= H265_IRAP_LAST;
    if (self->codec == UNITS_H264 && type >= 1 && type <= H264_IDR) return type == H264_IDR || recovers;
    if (self->codec == UNITS_H264 && type == H264_SEI) recovers |= has_recovery_point (unit, length);
  }
  return FALSE;
}

gboolean random_access_begins (RandomAccess *self, GstBuffer *buffer, gboolean parsed) {
  GstMapInfo map;
  if (!parsed || self->codec == UNITS_OTHER || !gst_buffer_map (buffer, &map, GST_MAP_READ)) return parsed;
  gboolean begins = holds (self, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  gint64 now = g_get_monotonic_time ();
  if (begins || self->since == 0) self->since = now;
  return begins || now - self->since > PATIENCE;
}
