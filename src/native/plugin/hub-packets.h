/* Access units of a hub, and the RTP packets a client gets of them. */
#ifndef LOOKOUT_HUB_PACKETS_H
#define LOOKOUT_HUB_PACKETS_H
#include <gst/gst.h>

typedef enum { HUB_VIDEO, HUB_AAC, HUB_G711 } HubKind;

/* One access unit as it is kept: of sound a frame of AAC, or what came in one packet of G.711. `parameter_sets`: NAL units behind 32-bit lengths, of a keyframe only. */
typedef struct {
  GstBuffer *buffer;
  GBytes *parameter_sets;
  guint32 timestamp;
  guint length_size;
  gboolean keyframe;
  HubKind kind;
} HubUnit;

/* One client's RTP stream. */
typedef struct { guint32 ssrc; guint16 sequence; } HubStream;

/* Parameter sets out of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1); NULL where there are none. */
GBytes *hub_parameter_sets (GstBuffer *codec_data, guint *length_size);

/* Appends a unit's packets to `out`. */
void hub_packetize (HubStream *stream, const HubUnit *unit, GByteArray *out);

#endif
