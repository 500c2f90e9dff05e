/*
 * A long cable: carries Ethernet frames between a port of the switch and a tap device, each direction with a delay of its own.
 * It works on every kernel with tun and packet sockets; the netem queue, which would do the same, is missing from many.
 *
 *   delay-line <port> <tap> <pid file> <microseconds from port to tap> <microseconds from tap to port>
 *
 * It makes the tap and goes to the background: once the command has ended with 0, the tap is there and carries. It ends by SIGTERM, and
 * by itself when the port or the tap is gone. The tap goes with it, however it ends. Frames keep their virtio header: those that the sender's
 * kernel has left unsegmented or without a checksum cross as they are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Frames that a direction may hold; what comes on top is dropped, as a switch's buffer would. */
enum { MAX_HELD_BYTES = 256 << 20, SOCKET_BUFFER_BYTES = 32 << 20, FRAME_BYTES = 1 << 17, FRAMES_AT_ONCE = 64 };

struct frame {
  struct frame *next;
  int64_t due_ns;
  size_t length;
  unsigned char bytes[];
};

struct direction {
  int from, to;
  int64_t delay_ns;
  struct frame *first, **end;
  size_t held_bytes;
};

static const char *pid_file;

static void fail(const char *what) {
  fprintf(stderr, "delay-line: cannot %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int open_tap(const char *name) {
  int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tap < 0) fail("open /dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL};
  if (strlen(name) >= IFNAMSIZ) errno = ENAMETOOLONG, fail("name the tap");
  strcpy(request.ifr_name, name);
  if (ioctl(tap, TUNSETIFF, &request) < 0) fail("make the tap");
  int header_bytes = sizeof(struct virtio_net_hdr);
  if (ioctl(tap, TUNSETVNETHDRSZ, &header_bytes) < 0) fail("set the header of the tap");
  if (ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN) < 0) fail("set the offloads of the tap");
  return tap;
}

static void set_option(int socket_, int level, int option, int value, const char *what) {
  if (setsockopt(socket_, level, option, &value, sizeof value) < 0) fail(what);
}

static int open_port(const char *name) {
  /* Protocol 0: it hears nothing before it is bound to the one port. */
  int port = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (port < 0) fail("open a packet socket");
  set_option(port, SOL_PACKET, PACKET_VNET_HDR, 1, "keep the headers of frames");
  set_option(port, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "leave out its own frames");
  /* Unsegmented frames are large: the default would hold three. */
  set_option(port, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER_BYTES, "enlarge the receive buffer");
  set_option(port, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER_BYTES, "enlarge the send buffer");
  struct ifreq request = {0};
  if (strlen(name) >= IFNAMSIZ) errno = ENAMETOOLONG, fail("find the port");
  strcpy(request.ifr_name, name);
  if (ioctl(port, SIOCGIFINDEX, &request) < 0) fail("find the port");
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = request.ifr_ifindex};
  if (bind(port, (struct sockaddr *)&address, sizeof address) < 0) fail("bind to the port");
  return port;
}

static void stop(int code) {
  unlink(pid_file);
  _exit(code);
}

static void on_term(int signal_) {
  (void)signal_;
  stop(0);
}

/* Takes in what has come; a device that is gone ends the line. */
static void receive(struct direction *way) {
  static unsigned char buffer[FRAME_BYTES];
  for (int count = 0; count < FRAMES_AT_ONCE; count++) {
    ssize_t length = read(way->from, buffer, sizeof buffer);
    if (length < 0 && (errno == ENETDOWN || errno == ENXIO || errno == EBADFD)) stop(0);
    if (length <= 0 && (errno == EAGAIN || errno == EINTR)) return;
    /* Other errors belong to one frame that can't be handed out, e.g. of a kind of offload that the header has no word for. */
    if (length <= 0 || way->held_bytes + (size_t)length > MAX_HELD_BYTES) continue;
    struct frame *frame = malloc(sizeof *frame + (size_t)length);
    if (frame == NULL) continue;
    *frame = (struct frame){.due_ns = now_ns() + way->delay_ns, .length = (size_t)length};
    memcpy(frame->bytes, buffer, (size_t)length);
    *way->end = frame;
    way->end = &frame->next;
    way->held_bytes += frame->length;
  }
}

/* Sends on what is due; one that the kernel doesn't take is lost, as on a cable. Returns when the next is due, or -1. */
static int64_t deliver(struct direction *way) {
  while (way->first != NULL && way->first->due_ns <= now_ns()) {
    struct frame *frame = way->first;
    ssize_t sent = write(way->to, frame->bytes, frame->length);
    (void)sent;
    way->first = frame->next;
    if (way->first == NULL) way->end = &way->first;
    way->held_bytes -= frame->length;
    free(frame);
  }
  return way->first == NULL ? -1 : way->first->due_ns;
}

static void carry(struct direction *out, struct direction *in) {
  out->end = &out->first;
  in->end = &in->first;
  for (;;) {
    int64_t next = deliver(out), other = deliver(in);
    if (next < 0 || (other >= 0 && other < next)) next = other;
    int64_t wait_ns = next < 0 ? 0 : next - now_ns();
    if (wait_ns < 0) wait_ns = 0;
    struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    struct pollfd ends[] = {{.fd = out->from, .events = POLLIN}, {.fd = in->from, .events = POLLIN}};
    if (ppoll(ends, 2, next < 0 ? NULL : &wait, NULL) < 0 && errno != EINTR) stop(1);
    if (ends[0].revents != 0) receive(out);
    if (ends[1].revents != 0) receive(in);
  }
}

static int64_t delay_of(const char *text) {
  char *rest;
  int64_t microseconds = strtoll(text, &rest, 10);
  if (*text == '\0' || *rest != '\0' || microseconds < 0) errno = EINVAL, fail("read a delay");
  return microseconds * 1000;
}

int main(int count, char **words) {
  if (count != 6) {
    fprintf(stderr, "usage: delay-line <port> <tap> <pid file> <microseconds from port to tap> <microseconds from tap to port>\n");
    return 2;
  }
  pid_file = words[3];
  int64_t out_ns = delay_of(words[4]), in_ns = delay_of(words[5]);
  int port = open_port(words[1]), tap = open_tap(words[2]);
  FILE *file = fopen(pid_file, "we");
  if (file == NULL) fail("write the pid file");
  signal(SIGTERM, on_term);
  pid_t child = fork();
  if (child < 0) fail("go to the background");
  if (child > 0) {
    fprintf(file, "%d\n", (int)child);
    if (fclose(file) != 0) fail("write the pid file");
    return 0;
  }
  fclose(file);
  setsid();
  /* Whoever waits for the end of our output must not wait for us. */
  int null = open("/dev/null", O_RDWR);
  for (int each = 0; each < 3; each++) dup2(null, each);
  prctl(PR_SET_TIMERSLACK, 1);
  struct direction out = {.from = port, .to = tap, .delay_ns = out_ns}, in = {.from = tap, .to = port, .delay_ns = in_ns};
  carry(&out, &in);
}
