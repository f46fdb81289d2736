/* Serves frames to any number of readers, each at its own pace, in a thread of its own. */
#ifndef LOOKOUT_FRAMES_SERVER_H
#define LOOKOUT_FRAMES_SERVER_H
#include "frames-store.h"

/* One reader, over TCP or, `shared`, by the protocol of shmsink. */
typedef struct {
  int fd;
  gboolean shared;
  guint64 next;       /* the frame it gets next */
  guint format;       /* the format it was told */
  GByteArray *out;    /* words that go before the frame */
  gsize out_sent;
  Slot *slot;         /* TCP: the frame it is getting */
  gsize slot_sent;
  GPtrArray *held;    /* shared: slots it was told of and has not given back */
  GArray *areas;      /* shared: ids of areas it knows */
  guint8 word[64];    /* shared: the beginning of a command of its */
  gsize word_bytes;
  gint64 heard;       /* when it last took or gave back something, us */
} Reader;

typedef struct {
  GMutex lock; /* Guards the store, the format and what is counted; the rest is the thread's. */
  FramesStore store;
  GstCaps *caps;
  guint format; /* counts changes of caps; 0 while there are none */
  char *stream_id;
  gsize slot_bytes;
  gboolean running;
  guint tcp_readers, shared_readers;
  guint64 sent, missed, cut;
  GPtrArray *readers;
  int tcp, local, wake;
  gint port;
  char *path;
  GThread *thread;
} FramesServer;

void frames_server_init (FramesServer *server);
void frames_server_clear (FramesServer *server);
/* Listens on 127.0.0.1, on another port than `port` where that is taken or 0, and, with a path, on a socket there. Returns what failed, NULL for nothing; errno says why. */
const char *frames_server_start (FramesServer *server, guint port, const char *path);
void frames_server_stop (FramesServer *server);
void frames_server_wake (FramesServer *server);

/* frames-readers.c; the lock is held by nobody. FALSE where the reader is to go. */
Reader *frames_reader_new (FramesServer *server, int fd, gboolean shared);
gboolean frames_reader_hear (FramesServer *server, Reader *reader);
gboolean frames_reader_serve (FramesServer *server, Reader *reader);
void frames_reader_free (FramesServer *server, Reader *reader);
/* Tells a reader that an area it knows goes. */
void frames_reader_forget_area (Reader *reader, int id);

#endif
