/*
 * What a host notes for the supervisor, in a file that the supervisor made and this process maps: it survives whatever
 * kills, stops or freezes this process, and nobody wakes up for it. Layout: `layout` in ../flight-box.ts, host byte order.
 */
#ifndef LOOKOUT_BOX_H
#define LOOKOUT_BOX_H
#include <gst/gst.h>

#define BOX_BYTES 65536
#define FORMAT_BYTES 896
#define START_BYTES 12288
#define LATER_SLOTS 8
#define LATER_BYTES 512
#define RUNS 1504

/* Packets whose headers follow from the first one's: sequence + i, timestamp + i * step. `serial` counts from 1; 0: empty. */
typedef struct {
  guint32 serial, at, ssrc, timestamp, step, bytes;
  guint16 sequence, count, ms;
  guint8 marker_type; /* marker of the last packet (of all, with a step) in bit 7, payload type below */
  guint8 track;       /* bit 7: a keyframe begins in it */
} Run;

/* `text` is not terminated; in the start area records follow each other, padded to 4 bytes. */
typedef struct {
  guint32 serial, at;
  guint16 length;
  guint8 received, unused;
  char text[];
} Message;

/* Each field has one thread that writes it. Times are ms since `started_ms`. */
typedef struct {
  guint64 packets, bytes;                    /* video, as received */
  guint32 packet_at, timestamp;              /* of the newest video packet */
  guint32 frames, keyframes, keyframe_at;    /* as they left the depayloader, or came while it rests (rest.c) */
  guint32 audio_packets;
  guint32 format_serial, format_length;      /* `format`: counts its changes */
  guint32 reordered;                         /* video packets whose timestamp lies before that of the packet before */
  guint8 unused[12];
} Counters;

typedef struct {
  char magic[8];
  guint64 started_ms; /* CLOCK_MONOTONIC */
  guint32 runs, start_bytes, messages, playing;
  guint8 unused[32];
  Counters counters;
  guint8 format[FORMAT_BYTES]; /* codec_data of the caps */
  guint8 start[START_BYTES];
  guint8 later[LATER_SLOTS][LATER_BYTES];
  Run run[RUNS];
} Box;

G_STATIC_ASSERT (sizeof (Run) == 32 && sizeof (Counters) == 64 && sizeof (Box) <= BOX_BYTES && G_STRUCT_OFFSET (Box, start) == 1024);

/* What the elements of one pipeline have in common. Not freed, as no pipeline of the addon's ever is. */
typedef struct {
  Box *box;            /* NULL without a file (a test, gst-inspect-1.0): the elements only pass on */
  GMutex lock;         /* guards the box's runs and messages, and the two below */
  guint32 laters;      /* messages of the dialogue behind the answer to PLAY */
  gboolean play_asked;
  guint keyframes;     /* of the video: a hub of sound begins where that of the video does. Written by the video's thread */
  struct LookoutRest *rest; /* keeps what nobody reads (rest.c); NULL where the pipeline has none */
  gboolean replaying;  /* what passes was counted when it came. Of the video's thread */
} Notes;

/* Those of the pipeline that is being made (box.c). An element asks when it is made. */
Notes *lookout_notes (void);
/* ms since the box was opened. */
guint32 lookout_box_now (const Box *box);

/* One frame that came; a keyframe or not. */
void lookout_notes_frame (Notes *notes, gboolean keyframe);

/* From now on TCP connections that GIO makes in this process read ahead. */
void lookout_ahead_register (void);

/* An element with one pad in, which it returns, and one out; both pass on what their element has seen. */
GstPad *lookout_add_pads (GstElement *element, GstPad **source, GstPadChainFunction chain, GstPadEventFunction event);
void lookout_pad_templates (GstElementClass *element);

GType lookout_box_get_type (void);
GType lookout_flight_get_type (void);
GType lookout_dialogue_get_type (void);
GType lookout_rest_get_type (void);
GType lookout_count_get_type (void);
GType lookout_times_get_type (void);
GType lookout_hub_get_type (void);
GType lookout_frames_get_type (void);
GType lookout_clock_get_type (void);
GType lookout_sound_get_type (void);
GType lookout_present_get_type (void);

#endif
