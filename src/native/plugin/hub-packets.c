/* RTP for H.264 (RFC 6184 §5.6, §5.8): single NAL units, or FU-A for those that pass 60,000 bytes; RFC 4571 has 16 bits for a length. */
#include <string.h>
#include "hub-packets.h"
#include "nal.h"

#define PAYLOAD_TYPE 96
#define PAYLOAD_BYTES 59000
#define NAL_SPS 7
#define NAL_AUD 9
#define FU_A 28

static gboolean take_sets (const guint8 *data, gsize size, gsize *at, guint count, GByteArray *sets) {
  for (guint i = 0; i < count; i += 1) {
    if (*at + 2 > size) return FALSE;
    guint32 length = GST_READ_UINT16_BE (data + *at), framed = GUINT32_TO_BE (length);
    if (*at + 2 + length > size) return FALSE;
    g_byte_array_append (sets, (guint8 *) &framed, 4);
    g_byte_array_append (sets, data + *at + 2, length);
    *at += 2 + length;
  }
  return TRUE;
}

GBytes *hub_parameter_sets (GstBuffer *codec_data, guint *length_size) {
  GstMapInfo map;
  if (!gst_buffer_map (codec_data, &map, GST_MAP_READ)) return NULL;
  GByteArray *sets = g_byte_array_new ();
  gsize at = 6;
  if (map.size >= 7) {
    *length_size = (map.data[4] & 3) + 1;
    if (take_sets (map.data, map.size, &at, map.data[5] & 0x1f, sets) && at < map.size) {
      guint count = map.data[at++];
      take_sets (map.data, map.size, &at, count, sets);
    }
  }
  gst_buffer_unmap (codec_data, &map);
  if (sets->len > 0) return g_byte_array_free_to_bytes (sets);
  g_byte_array_unref (sets);
  return NULL;
}

/* Appends the head of a packet: its length, and RTP's 12 bytes (RFC 3550 §5.1). */
static void begin_packet (HubStream *stream, guint32 timestamp, gboolean marker, gsize payload, GByteArray *out) {
  guint8 head[14];
  GST_WRITE_UINT16_BE (head, 12 + payload);
  head[2] = 0x80;
  head[3] = PAYLOAD_TYPE | (marker ? 0x80 : 0);
  GST_WRITE_UINT16_BE (head + 4, stream->sequence);
  GST_WRITE_UINT32_BE (head + 6, timestamp);
  GST_WRITE_UINT32_BE (head + 10, stream->ssrc);
  stream->sequence += 1;
  g_byte_array_append (out, head, sizeof (head));
}

static void put_nal (HubStream *stream, guint32 timestamp, const guint8 *nal, gsize length, gboolean last, GByteArray *out) {
  if (length <= PAYLOAD_BYTES) {
    begin_packet (stream, timestamp, last, length, out);
    g_byte_array_append (out, nal, length);
    return;
  }
  for (gsize at = 1; at < length;) {
    gsize part = MIN (length - at, PAYLOAD_BYTES - 2);
    gboolean end = at + part == length;
    guint8 unit[2] = { (nal[0] & 0xe0) | FU_A, (nal[0] & 0x1f) | (at == 1 ? 0x80 : 0) | (end ? 0x40 : 0) };
    begin_packet (stream, timestamp, last && end, part + 2, out);
    g_byte_array_append (out, unit, 2);
    g_byte_array_append (out, nal + at, part);
    at += part;
  }
}

static gboolean has_parameter_sets (const guint8 *data, gsize size, guint length_size) {
  const guint8 *nal;
  gsize at = 0, length;
  while (nal_next (data, size, &at, length_size, &nal, &length)) if ((nal[0] & 0x1f) == NAL_SPS) return TRUE;
  return FALSE;
}

static void put_all (HubStream *stream, guint32 timestamp, const guint8 *data, gsize size, guint length_size, gboolean closes, GByteArray *out) {
  const guint8 *nal, *following;
  gsize at = 0, length, next_length;
  if (!nal_next (data, size, &at, length_size, &nal, &length)) return;
  for (gboolean more = TRUE; more; nal = following, length = next_length) {
    more = nal_next (data, size, &at, length_size, &following, &next_length);
    put_nal (stream, timestamp, nal, length, closes && !more, out);
  }
}

/* One packet: AAC as RFC 3640 §3.3.6 has it (AU-headers-length in bits, AU-size of 13 bits, AU-index 0), G.711 as it is. */
static void put_sound (HubStream *stream, const HubUnit *unit, const guint8 *data, gsize size, GByteArray *out) {
  guint8 head[4] = { 0, 16, size >> 5, size << 3 };
  gsize extra = unit->kind == HUB_AAC ? sizeof (head) : 0;
  if (size == 0 || size > (extra > 0 ? 8191 : PAYLOAD_BYTES)) return;
  begin_packet (stream, unit->timestamp, TRUE, size + extra, out);
  g_byte_array_append (out, head, extra);
  g_byte_array_append (out, data, size);
}

void hub_packetize (HubStream *stream, const HubUnit *unit, GByteArray *out) {
  GstMapInfo map;
  if (!gst_buffer_map (unit->buffer, &map, GST_MAP_READ)) return;
  if (unit->kind != HUB_VIDEO) {
    put_sound (stream, unit, map.data, map.size, out);
    gst_buffer_unmap (unit->buffer, &map);
    return;
  }
  gsize at = 0;
  if (unit->parameter_sets != NULL && !has_parameter_sets (map.data, map.size, unit->length_size)) {
    const guint8 *first;
    gsize length, size;
    /* An access unit delimiter comes before everything (H.264 §7.4.1.2.3). */
    if (nal_next (map.data, map.size, &at, unit->length_size, &first, &length) && (first[0] & 0x1f) == NAL_AUD) put_nal (stream, unit->timestamp, first, length, FALSE, out);
    else at = 0;
    const guint8 *sets = g_bytes_get_data (unit->parameter_sets, &size);
    put_all (stream, unit->timestamp, sets, size, 4, FALSE, out);
  }
  put_all (stream, unit->timestamp, map.data + at, map.size - at, unit->length_size, TRUE, out);
  gst_buffer_unmap (unit->buffer, &map);
}
