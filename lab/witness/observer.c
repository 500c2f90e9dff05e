/*
 * The observer: one per lab, in the network of the guests' clients. It hears every guest's ticks, pings every guest, and answers
 * questions on a unix socket. All arrival times come from one clock, the kernel's time stamps, so gaps do not depend on how
 * busy this program is. docs/witness.md describes the operations and the report.
 *
 *   observer --listen 10.90.2.1:7001 --socket <unix socket> --state <file>
 */
#define _GNU_SOURCE
#include "observer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_GUESTS = 1024, MAX_CLIENTS = 64, MAX_ASKS = 64, LINE = 4096, MAX_OUTPUT = 1 << 20, PING_MS = 20, SAVE_MS = 5000, ASK_REPEAT_MS = 250 };
#define PING_WHILE_NS (30000 * MILLISECOND)
#define PING_MAGIC 0x3150574bu
#define STATE_MAGIC 0x3153574bu

struct client {
  int descriptor; /* -1 = free */
  uint64_t serial;
  char line[LINE];
  size_t used;
  char *output;
  size_t output_length, output_sent;
};

struct ask {
  bool used;
  uint64_t client_serial;
  uint32_t vmid;
  char guest_id[32], client_id[40], command[128];
  int64_t deadline_ns, next_ns;
};

struct ping_payload {
  struct icmphdr header;
  uint32_t magic, vmid;
  uint64_t seq;
  int64_t sent_ns;
} __attribute__((packed));

static struct guest *guests[MAX_GUESTS];
static struct client clients[MAX_CLIENTS];
static struct ask asks[MAX_ASKS];
static struct observer_facts facts;
static int tick_socket, ping_socket, ask_socket, listener;
static uint64_t client_serial, ask_serial;
static const char *state_path;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void fail(const char *what) {
  fprintf(stderr, "observer: cannot %s: %s\n", what, strerror(errno));
  exit(1);
}

/* ---- guests ---- */

static struct guest *guest_of(uint32_t vmid) {
  for (int i = 0; i < MAX_GUESTS; i++) {
    if (guests[i] != NULL && guests[i]->vmid == vmid) return guests[i];
  }
  return NULL;
}

/* Full house: the guest that was silent longest makes room. */
static struct guest *new_guest(uint32_t vmid, int64_t now) {
  int place = 0;
  for (int i = 0; i < MAX_GUESTS; i++) {
    if (guests[i] == NULL) {
      place = i;
      break;
    }
    if (guests[i]->last_life_ns < guests[place]->last_life_ns) place = i;
  }
  free(guests[place]);
  struct guest *guest = guests[place] = calloc(1, sizeof *guest);
  if (guest == NULL) fail("remember a guest");
  guest->vmid = vmid;
  start_interval(guest, now);
  return guest;
}

static void forget_guest(uint32_t vmid) {
  for (int i = 0; i < MAX_GUESTS; i++) {
    if (guests[i] == NULL || guests[i]->vmid != vmid) continue;
    free(guests[i]);
    guests[i] = NULL;
  }
}

struct state_header {
  uint32_t magic, guest_size, count, unused;
  uint64_t restarts;
};

static void save_state(void) {
  if (state_path == NULL) return;
  char temporary[512];
  snprintf(temporary, sizeof temporary, "%s.tmp", state_path);
  FILE *file = fopen(temporary, "w");
  if (file == NULL) return;
  struct state_header header = {.magic = STATE_MAGIC, .guest_size = sizeof(struct guest), .restarts = facts.restarts};
  for (int i = 0; i < MAX_GUESTS; i++) header.count += guests[i] != NULL;
  fwrite(&header, sizeof header, 1, file);
  for (int i = 0; i < MAX_GUESTS; i++) {
    if (guests[i] != NULL) fwrite(guests[i], sizeof *guests[i], 1, file);
  }
  bool failed = ferror(file) != 0;
  if (fclose(file) != 0 || failed || rename(temporary, state_path) != 0) unlink(temporary);
}

static void load_state(void) {
  FILE *file = state_path == NULL ? NULL : fopen(state_path, "r");
  if (file == NULL) return;
  struct state_header header;
  if (fread(&header, sizeof header, 1, file) == 1 && header.magic == STATE_MAGIC && header.guest_size == sizeof(struct guest)) {
    facts.restarts = header.restarts + 1;
    for (uint32_t i = 0; i < header.count && i < MAX_GUESTS; i++) {
      struct guest *guest = calloc(1, sizeof *guest);
      if (guest == NULL || fread(guest, sizeof *guest, 1, file) != 1) {
        free(guest);
        break;
      }
      /* The time without an observer is nobody's gap, and the ticks that nobody heard then are not missing. */
      guest->last_arrival_ns = guest->last_reply_ns = 0;
      guests[i] = guest;
    }
  }
  fclose(file);
}

/* ---- ticks and pings ---- */

static int64_t stamp_of(struct msghdr *message) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    return stamp.tv_sec * 1000000000ll + stamp.tv_nsec;
  }
  return now_ns();
}

static ssize_t receive(int descriptor, void *buffer, size_t size, struct sockaddr_in *from, int64_t *at_ns) {
  char control[128];
  struct iovec part = {.iov_base = buffer, .iov_len = size};
  struct msghdr message = {.msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(descriptor, &message, MSG_DONTWAIT);
  if (length >= 0) *at_ns = stamp_of(&message);
  return length;
}

static void hear_ticks(void) {
  union {
    struct tick_packet packet;
    uint8_t room[256];
  } datagram;
  struct sockaddr_in from;
  int64_t at_ns;
  ssize_t length;
  while ((length = receive(tick_socket, &datagram, sizeof datagram, &from, &at_ns)) >= 0) {
    if (!is_tick(&datagram.packet, (size_t)length)) {
      facts.rejected++;
      continue;
    }
    struct guest *guest = guest_of(datagram.packet.vmid);
    if (guest == NULL) guest = new_guest(datagram.packet.vmid, at_ns);
    guest->address = from.sin_addr;
    track_tick(guest, &datagram.packet, at_ns);
  }
}

static uint16_t checksum_of(const void *data, size_t length) {
  const uint16_t *word = data;
  uint32_t sum = 0;
  for (size_t i = 0; i < length / 2; i++) sum += word[i];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

static void send_pings(void) {
  int64_t now = now_ns();
  for (int i = 0; i < MAX_GUESTS; i++) {
    struct guest *guest = guests[i];
    if (guest == NULL || now - guest->last_life_ns > PING_WHILE_NS) continue;
    struct ping_payload ping = {.header = {.type = ICMP_ECHO}, .magic = PING_MAGIC, .vmid = guest->vmid, .seq = ++guest->ping_seq, .sent_ns = now};
    ping.header.un.echo.id = htons((uint16_t)getpid());
    ping.header.un.echo.sequence = htons((uint16_t)ping.seq);
    ping.header.checksum = checksum_of(&ping, sizeof ping);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = guest->address};
    sendto(ping_socket, &ping, sizeof ping, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
    guest->ping_sent++; /* counted even if the network refused it: the guest was not reached */
  }
}

static void hear_replies(void) {
  uint8_t buffer[512];
  struct sockaddr_in from;
  int64_t at_ns;
  ssize_t length;
  while ((length = receive(ping_socket, buffer, sizeof buffer, &from, &at_ns)) >= 0) {
    size_t header = (size_t)(buffer[0] & 15) * 4;
    struct ping_payload reply;
    if ((size_t)length < header + sizeof reply) continue;
    memcpy(&reply, buffer + header, sizeof reply);
    if (reply.header.type != ICMP_ECHOREPLY || reply.magic != PING_MAGIC || ntohs(reply.header.un.echo.id) != (uint16_t)getpid()) continue;
    struct guest *guest = guest_of(reply.vmid);
    if (guest != NULL && guest->address.s_addr == from.sin_addr.s_addr) track_reply(guest, at_ns, at_ns - reply.sent_ns);
  }
}

/* ---- clients ---- */

static void drop_client(struct client *client) {
  close(client->descriptor);
  free(client->output);
  *client = (struct client){.descriptor = -1};
}

static void flush_client(struct client *client) {
  while (client->output_sent < client->output_length) {
    ssize_t sent = send(client->descriptor, client->output + client->output_sent, client->output_length - client->output_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) drop_client(client);
    if (sent < 0) return;
    client->output_sent += (size_t)sent;
  }
  client->output_length = client->output_sent = 0;
}

static void answer(struct client *client, const char *text, size_t length) {
  if (client->output_length + length > MAX_OUTPUT) {
    drop_client(client); /* it asks and never reads */
    return;
  }
  char *grown = realloc(client->output, client->output_length + length);
  if (grown == NULL) fail("answer a client");
  client->output = grown;
  memcpy(grown + client->output_length, text, length);
  client->output_length += length;
  flush_client(client);
}

static FILE *begin_answer(char **text, size_t *length, const char *id) {
  FILE *out = open_memstream(text, length);
  if (out == NULL) fail("answer a client");
  fputc('{', out);
  if (id[0] != 0) fprintf(out, "\"id\":\"%s\",", id);
  return out;
}

static void end_answer(struct client *client, FILE *out, char **text, size_t *length) {
  fputs("}\n", out);
  fclose(out);
  answer(client, *text, *length);
  free(*text);
}

static void refuse(struct client *client, const char *id, const char *code, const char *message) {
  char *text;
  size_t length;
  FILE *out = begin_answer(&text, &length, id);
  fprintf(out, "\"ok\":false,\"error\":\"%s\",\"message\":\"%s\"", code, message);
  end_answer(client, out, &text, &length);
}

static void begin_ask(struct client *client, const struct request *request) {
  if (request->command[0] == 0) {
    refuse(client, request->id, "bad-request", "ask needs a command");
    return;
  }
  for (int i = 0; i < MAX_ASKS; i++) {
    if (asks[i].used) continue;
    int64_t now = now_ns();
    asks[i] = (struct ask){.used = true, .client_serial = client->serial, .vmid = request->vmid, .next_ns = now};
    asks[i].deadline_ns = now + (request->timeout_ms != 0 ? request->timeout_ms : 30000) * MILLISECOND;
    snprintf(asks[i].guest_id, sizeof asks[i].guest_id, "%llx-%llx", (unsigned long long)facts.started_ns, (unsigned long long)++ask_serial);
    memcpy(asks[i].client_id, request->id, sizeof asks[i].client_id);
    memcpy(asks[i].command, request->command, sizeof asks[i].command);
    return;
  }
  refuse(client, request->id, "busy", "too many questions are open");
}

static void obey(struct client *client, const char *line) {
  struct request request;
  if (!parse_request(line, &request) || strpbrk(request.id, "\"\\") != NULL) {
    refuse(client, "", "bad-request", "not a flat JSON object of op, id, vmid, label, command, timeoutMs");
    return;
  }
  if (strcmp(request.op, "list") == 0) {
    char *text;
    size_t length;
    FILE *out = begin_answer(&text, &length, request.id);
    fprintf(out, "\"ok\":true,\"guests\":[");
    bool first = true;
    for (int i = 0; i < MAX_GUESTS; i++) {
      if (guests[i] == NULL) continue;
      if (!first) fputc(',', out);
      first = false;
      print_summary(out, guests[i], now_ns());
    }
    fputc(']', out);
    end_answer(client, out, &text, &length);
    return;
  }
  struct guest *guest = guest_of(request.vmid);
  if (strcmp(request.op, "forget") == 0) forget_guest(request.vmid);
  else if (strcmp(request.op, "report") != 0 && strcmp(request.op, "reset") != 0 && strcmp(request.op, "mark") != 0 && strcmp(request.op, "ask") != 0) {
    refuse(client, request.id, "bad-request", "unknown op; known: list, report, reset, mark, forget, ask");
    return;
  } else if (guest == NULL) {
    refuse(client, request.id, "not-found", "no tick was heard from this guest");
    return;
  } else if (strcmp(request.op, "ask") == 0) {
    begin_ask(client, &request);
    return;
  } else if (strcmp(request.op, "mark") == 0) mark_guest(guest, request.label, now_ns());
  else if (strcmp(request.op, "reset") == 0) start_interval(guest, now_ns());
  char *text;
  size_t length;
  FILE *out = begin_answer(&text, &length, request.id);
  fprintf(out, "\"ok\":true");
  if (strcmp(request.op, "report") == 0) {
    fputc(',', out);
    print_report(out, guest, &facts, now_ns());
  }
  end_answer(client, out, &text, &length);
}

static void hear_client(struct client *client) {
  ssize_t length = recv(client->descriptor, client->line + client->used, LINE - 1 - client->used, MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    drop_client(client);
    return;
  }
  client->used += (size_t)length;
  char *end;
  while (client->descriptor >= 0 && (end = memchr(client->line, '\n', client->used)) != NULL) {
    *end = 0;
    size_t taken = (size_t)(end - client->line) + 1;
    char line[LINE];
    memcpy(line, client->line, taken);
    client->used -= taken;
    memmove(client->line, end + 1, client->used);
    if (line[strspn(line, " \t\r")] != 0) obey(client, line);
  }
  if (client->descriptor >= 0 && client->used >= LINE - 1) drop_client(client);
}

static void greet_client(void) {
  int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (descriptor < 0) return;
  for (int i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].descriptor >= 0) continue;
    clients[i] = (struct client){.descriptor = descriptor, .serial = ++client_serial};
    return;
  }
  close(descriptor);
}

/* ---- questions to guests ---- */

static struct client *client_of(uint64_t serial) {
  for (int i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].descriptor >= 0 && clients[i].serial == serial) return &clients[i];
  }
  return NULL;
}

static void repeat_asks(void) {
  int64_t now = now_ns();
  for (int i = 0; i < MAX_ASKS; i++) {
    struct ask *ask = &asks[i];
    if (!ask->used) continue;
    struct client *client = client_of(ask->client_serial);
    struct guest *guest = guest_of(ask->vmid);
    if (client == NULL) ask->used = false;
    else if (guest == NULL || now >= ask->deadline_ns) {
      ask->used = false;
      refuse(client, ask->client_id, "guest-silent", "the guest did not answer in time");
    } else if (now >= ask->next_ns) {
      char text[192];
      int length = snprintf(text, sizeof text, "%s %s", ask->guest_id, ask->command);
      struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(COMMAND_PORT), .sin_addr = guest->address};
      sendto(ask_socket, text, (size_t)length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
      ask->next_ns = now + ASK_REPEAT_MS * MILLISECOND;
    }
  }
}

static void hear_answers(void) {
  char text[2048];
  ssize_t length;
  while ((length = recv(ask_socket, text, sizeof text - 1, MSG_DONTWAIT)) > 0) {
    text[length] = 0;
    char *space = strchr(text, ' ');
    if (space == NULL || space[1] != '{') continue;
    *space = 0;
    for (int i = 0; i < MAX_ASKS; i++) {
      if (!asks[i].used || strcmp(asks[i].guest_id, text) != 0) continue;
      asks[i].used = false;
      struct client *client = client_of(asks[i].client_serial);
      if (client == NULL) continue;
      char *body;
      size_t body_length;
      FILE *out = begin_answer(&body, &body_length, asks[i].client_id);
      fprintf(out, "\"ok\":true,\"vmid\":%u,\"answer\":%s", asks[i].vmid, space + 1);
      end_answer(client, out, &body, &body_length);
    }
  }
}

/* ---- start ---- */

static void open_sockets(const char *listen_text, const char *socket_path) {
  char address[64];
  snprintf(address, sizeof address, "%s", listen_text);
  char *colon = strchr(address, ':');
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(TICK_PORT)};
  if (colon != NULL) {
    *colon = 0;
    own.sin_port = htons((uint16_t)atoi(colon + 1));
  }
  if (inet_pton(AF_INET, address, &own.sin_addr) != 1) {
    errno = EINVAL;
    fail("read the address of --listen");
  }
  int on = 1, room = 4 << 20;
  tick_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  setsockopt(tick_socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (setsockopt(tick_socket, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0) setsockopt(tick_socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  setsockopt(tick_socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (bind(tick_socket, (struct sockaddr *)&own, sizeof own) != 0) fail("bind the address of --listen");

  ping_socket = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (ping_socket < 0) fail("open a raw socket (must run as root)");
  struct icmp_filter filter = {.data = ~(1u << ICMP_ECHOREPLY)};
  setsockopt(ping_socket, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
  setsockopt(ping_socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);

  ask_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  own.sin_port = 0;
  if (bind(ask_socket, (struct sockaddr *)&own, sizeof own) != 0) fail("bind the socket for questions");

  struct sockaddr_un path = {.sun_family = AF_UNIX};
  if (strlen(socket_path) >= sizeof path.sun_path) {
    errno = ENAMETOOLONG;
    fail("use the path of --socket");
  }
  snprintf(path.sun_path, sizeof path.sun_path, "%s", socket_path);
  unlink(socket_path);
  listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (bind(listener, (struct sockaddr *)&path, sizeof path) != 0 || listen(listener, 16) != 0) fail("listen on the path of --socket");
}

static int open_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

int main(int argc, char **argv) {
  const char *listen_text = NULL, *socket_path = NULL;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--listen") == 0) listen_text = argv[i + 1];
    if (strcmp(argv[i], "--socket") == 0) socket_path = argv[i + 1];
    if (strcmp(argv[i], "--state") == 0) state_path = argv[i + 1];
  }
  if (listen_text == NULL || socket_path == NULL) {
    fprintf(stderr, "usage: observer --listen <address:port> --socket <path> [--state <file>]\n");
    return 2;
  }
  for (int i = 0; i < MAX_CLIENTS; i++) clients[i].descriptor = -1;
  facts.started_ns = now_ns();
  setpriority(PRIO_PROCESS, 0, -15); /* pings should leave on time; best effort */
  load_state();
  open_sockets(listen_text, socket_path);
  int signals = open_signals();
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  struct itimerspec every = {.it_interval = {.tv_nsec = PING_MS * MILLISECOND}, .it_value = {.tv_nsec = PING_MS * MILLISECOND}};
  timerfd_settime(timer, 0, &every, NULL);
  int64_t saved_ns = now_ns();

  for (;;) {
    struct pollfd ready[6 + MAX_CLIENTS] = {{tick_socket, POLLIN, 0}, {ping_socket, POLLIN, 0}, {ask_socket, POLLIN, 0}, {timer, POLLIN, 0}, {listener, POLLIN, 0}, {signals, POLLIN, 0}};
    for (int i = 0; i < MAX_CLIENTS; i++) {
      ready[6 + i] = (struct pollfd){.fd = clients[i].descriptor, .events = (short)(POLLIN | (clients[i].output_length > clients[i].output_sent ? POLLOUT : 0))};
    }
    if (poll(ready, 6 + MAX_CLIENTS, -1) < 0) continue;
    if (ready[0].revents) hear_ticks();
    if (ready[1].revents) hear_replies();
    if (ready[2].revents) hear_answers();
    if (ready[3].revents) {
      uint64_t expirations;
      if (read(timer, &expirations, sizeof expirations) > 0) send_pings();
    }
    for (int i = 0; i < MAX_CLIENTS; i++) {
      if (clients[i].descriptor >= 0 && (ready[6 + i].revents & POLLOUT)) flush_client(&clients[i]);
      if (clients[i].descriptor >= 0 && (ready[6 + i].revents & (POLLIN | POLLHUP | POLLERR))) hear_client(&clients[i]);
    }
    if (ready[4].revents) greet_client();
    repeat_asks();
    if (now_ns() - saved_ns > SAVE_MS * MILLISECOND) {
      save_state();
      saved_ns = now_ns();
    }
    if (ready[5].revents) {
      save_state();
      unlink(socket_path);
      return 0;
    }
  }
}
