#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "frames-server.h"

/* More readers at once are turned away. */
#define MOST_READERS 64
/* What the kernel holds for a reader over TCP is as old as it is much. */
#define SEND_BYTES (512 * 1024)

void frames_server_init (FramesServer *server) {
  *server = (FramesServer) { .tcp = -1, .local = -1, .wake = -1, .port = -1, .readers = g_ptr_array_new () };
  g_mutex_init (&server->lock);
  frames_store_init (&server->store);
}

void frames_server_clear (FramesServer *server) {
  frames_store_clear (&server->store);
  gst_clear_caps (&server->caps);
  g_free (server->stream_id);
  g_ptr_array_unref (server->readers);
  g_mutex_clear (&server->lock);
}

void frames_server_wake (FramesServer *server) {
  eventfd_write (server->wake, 1);
}

/* ---- listening ---- */

static int listen_tcp (guint port, gint *bound) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port), .sin_addr = { htonl (INADDR_LOOPBACK) } };
  socklen_t length = sizeof (address);
  int yes = 1, fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  /* The port of the run before, whose connections may still be ending. */
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof (yes));
  if (bind (fd, (struct sockaddr *) &address, sizeof (address)) == 0 && listen (fd, 32) == 0 && getsockname (fd, (struct sockaddr *) &address, &length) == 0) {
    *bound = ntohs (address.sin_port);
    return fd;
  }
  close (fd);
  return port != 0 ? listen_tcp (0, bound) : -1;
}

static int listen_local (const char *path) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen (path) >= sizeof (address.sun_path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy (address.sun_path, path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  /* One that a killed process left. */
  unlink (path);
  if (bind (fd, (struct sockaddr *) &address, sizeof (address)) == 0 && chmod (path, 0660) == 0 && listen (fd, 32) == 0) return fd;
  close (fd);
  return -1;
}

/* ---- the thread that serves ---- */

static void count_readers (FramesServer *server) {
  guint shared = 0;
  for (guint i = 0; i < server->readers->len; i += 1) shared += ((Reader *) g_ptr_array_index (server->readers, i))->shared;
  g_mutex_lock (&server->lock);
  server->shared_readers = shared;
  server->tcp_readers = server->readers->len - shared;
  g_mutex_unlock (&server->lock);
}

static void forget_reader (FramesServer *server, guint index) {
  frames_reader_free (server, g_ptr_array_remove_index_fast (server->readers, index));
  count_readers (server);
}

static void accept_reader (FramesServer *server, int listener) {
  int fd = accept4 (listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (server->readers->len >= MOST_READERS) {
    close (fd);
    return;
  }
  gboolean shared = listener == server->local;
  int yes = 1, bytes = SEND_BYTES;
  if (!shared) {
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof (yes));
    setsockopt (fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof (bytes));
  }
  Reader *reader = frames_reader_new (server, fd, shared);
  g_ptr_array_add (server->readers, reader);
  count_readers (server);
  if (!frames_reader_serve (server, reader)) forget_reader (server, server->readers->len - 1);
}

/* What readers hold is theirs until they give it back. Where that becomes too much, the one that was silent longest goes. */
static void cut_the_worst (FramesServer *server) {
  g_mutex_lock (&server->lock);
  gboolean crowded = frames_store_is_crowded (&server->store);
  g_mutex_unlock (&server->lock);
  if (!crowded) return;
  gint worst = -1;
  for (guint i = 0; i < server->readers->len; i += 1) {
    Reader *reader = g_ptr_array_index (server->readers, i);
    if (reader->held->len > 0 && (worst < 0 || reader->heard < ((Reader *) g_ptr_array_index (server->readers, worst))->heard)) worst = i;
  }
  if (worst < 0) return;
  forget_reader (server, worst);
  g_mutex_lock (&server->lock);
  server->cut += 1;
  g_mutex_unlock (&server->lock);
}

/* Slots that nobody will use again. */
static void sweep (FramesServer *server) {
  g_mutex_lock (&server->lock);
  frames_store_trim (&server->store, server->slot_bytes);
  for (guint i = server->store.slots->len; i-- > 0;) {
    Slot *slot = g_ptr_array_index (server->store.slots, i);
    if (slot->refs > 0 || !slot->retired) continue;
    for (guint j = 0; j < server->readers->len; j += 1) frames_reader_forget_area (g_ptr_array_index (server->readers, j), slot->id);
    frames_store_destroy (&server->store, slot);
  }
  g_mutex_unlock (&server->lock);
}

static gboolean is_owed (const Reader *reader) {
  return reader->out_sent < reader->out->len || reader->slot != NULL;
}

static void poll_once (FramesServer *server) {
  guint count = server->readers->len;
  struct pollfd *fds = g_newa (struct pollfd, count + 3);
  fds[0] = (struct pollfd) { .fd = server->wake, .events = POLLIN };
  fds[1] = (struct pollfd) { .fd = server->tcp, .events = POLLIN };
  fds[2] = (struct pollfd) { .fd = server->local, .events = POLLIN };
  for (guint i = 0; i < count; i += 1) {
    Reader *reader = g_ptr_array_index (server->readers, i);
    fds[i + 3] = (struct pollfd) { .fd = reader->fd, .events = POLLIN | (is_owed (reader) ? POLLOUT : 0) };
  }
  if (poll (fds, count + 3, -1) < 0) return;
  eventfd_t woken;
  if (fds[0].revents != 0) eventfd_read (server->wake, &woken);
  /* From the last one: the place of one that is forgotten is taken by one that was served already. */
  for (guint i = count; i-- > 0;) {
    Reader *reader = g_ptr_array_index (server->readers, i);
    if (((fds[i + 3].revents & (POLLIN | POLLHUP | POLLERR)) && !frames_reader_hear (server, reader)) || !frames_reader_serve (server, reader)) forget_reader (server, i);
  }
  for (guint i = 1; i < 3; i += 1) if (fds[i].revents & POLLIN) accept_reader (server, fds[i].fd);
  cut_the_worst (server);
  sweep (server);
}

static gpointer serve_all (gpointer data) {
  FramesServer *server = data;
  gboolean running = TRUE;
  while (running) {
    poll_once (server);
    g_mutex_lock (&server->lock);
    running = server->running;
    g_mutex_unlock (&server->lock);
  }
  while (server->readers->len > 0) forget_reader (server, 0);
  return NULL;
}

static void close_all (FramesServer *server) {
  int *fds[] = { &server->tcp, &server->local, &server->wake };
  for (guint i = 0; i < G_N_ELEMENTS (fds); i += 1) {
    if (*fds[i] >= 0) close (*fds[i]);
    *fds[i] = -1;
  }
  if (server->path != NULL) unlink (server->path);
  g_clear_pointer (&server->path, g_free);
  server->port = -1;
}

const char *frames_server_start (FramesServer *server, guint port, const char *path) {
  const char *failed = NULL;
  server->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (server->wake < 0) failed = "eventfd";
  else if ((server->tcp = listen_tcp (port, &server->port)) < 0) failed = "the TCP socket";
  else if (path != NULL && (server->local = listen_local (path)) < 0) failed = "the local socket";
  if (failed != NULL) {
    int why = errno;
    close_all (server);
    errno = why;
    return failed;
  }
  server->path = g_strdup (path);
  server->running = TRUE;
  server->thread = g_thread_new ("lookoutframes", serve_all, server);
  return NULL;
}

void frames_server_stop (FramesServer *server) {
  if (server->thread == NULL) return;
  g_mutex_lock (&server->lock);
  server->running = FALSE;
  g_mutex_unlock (&server->lock);
  frames_server_wake (server);
  g_thread_join (server->thread);
  server->thread = NULL;
  close_all (server);
}
