/* What an init has to do in a guest of one program: mounts, drivers, network, power button. */
#define _GNU_SOURCE
#include "witness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/reboot.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void write_text(const char *path, const char *text);

void boot_guest(void) {
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mkdir("/dev", 0755);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  int console = open("/dev/console", O_RDWR);
  if (console >= 0) {
    for (int i = 0; i < 3; i++) dup2(console, i);
    if (console > 2) close(console);
  }
  reboot(LINUX_REBOOT_CMD_CAD_ON);
  /* Without this the kernel takes 5 % of the time away from real-time threads, which would show as gaps in the ticks. */
  write_text("/proc/sys/kernel/sched_rt_runtime_us", "-1");
}

static void write_text(const char *path, const char *text) {
  int descriptor = open(path, O_WRONLY);
  if (descriptor < 0) return;
  if (write(descriptor, text, strlen(text)) < 0) say("cannot write %s: %s", path, strerror(errno));
  close(descriptor);
}

/* The image lists its modules in dependency order, one name a line; a line "scsi" begins those that only a SCSI disk needs. */
void load_drivers(void) {
  FILE *list = fopen("/modules/order", "r");
  char name[96], path[128];
  while (list != NULL && fscanf(list, "%95s", name) == 1) {
    if (strcmp(name, "scsi") == 0) {
      if (strncmp(config.journal, "/dev/sd", 7) != 0) break;
      continue;
    }
    snprintf(path, sizeof path, "/modules/%s", name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || (syscall(SYS_finit_module, descriptor, "", 0) != 0 && errno != EEXIST)) say("cannot load %s: %s", path, strerror(errno));
    if (descriptor >= 0) close(descriptor);
  }
  if (list != NULL) fclose(list);
}

static void set_address(int descriptor, unsigned long request, const char *text) {
  struct ifreq change = {0};
  struct sockaddr_in address = {.sin_family = AF_INET};
  inet_pton(AF_INET, text, &address.sin_addr);
  memcpy(change.ifr_name, config.interface, sizeof config.interface);
  memcpy(&change.ifr_addr, &address, sizeof address);
  if (ioctl(descriptor, request, &change) != 0) say("cannot set %s on %s: %s", text, config.interface, strerror(errno));
}

static void bring_up(int descriptor, const char *name) {
  struct ifreq change = {0};
  snprintf(change.ifr_name, sizeof change.ifr_name, "%s", name);
  change.ifr_flags = IFF_UP;
  if (ioctl(descriptor, SIOCSIFFLAGS, &change) != 0) say("cannot bring %s up: %s", name, strerror(errno));
}

void configure_network(void) {
  char path[64], mask[16];
  snprintf(path, sizeof path, "/sys/class/net/%s", config.interface);
  for (int i = 0; i < 500 && access(path, F_OK) != 0; i++) usleep(10000); /* the driver may still probe */
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bring_up(descriptor, "lo");
  struct in_addr netmask = {.s_addr = htonl(config.prefix == 0 ? 0 : 0xffffffffu << (32 - config.prefix))};
  inet_ntop(AF_INET, &netmask, mask, sizeof mask);
  set_address(descriptor, SIOCSIFADDR, config.ip);
  set_address(descriptor, SIOCSIFNETMASK, mask);
  bring_up(descriptor, config.interface);
  struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
  struct sockaddr_in gateway = {.sin_family = AF_INET};
  inet_pton(AF_INET, config.gateway, &gateway.sin_addr);
  struct sockaddr_in any = {.sin_family = AF_INET};
  memcpy(&route.rt_gateway, &gateway, sizeof gateway);
  memcpy(&route.rt_dst, &any, sizeof any);
  memcpy(&route.rt_genmask, &any, sizeof any);
  if (ioctl(descriptor, SIOCADDRT, &route) != 0 && errno != EEXIST) say("cannot route by %s: %s", config.gateway, strerror(errno));
  close(descriptor);
}

/*
 * Before the power goes: the kernel breaks its virtio queues then, and a thread that sends a tick through a broken one spins in the driver
 * for ever, with a priority that nobody else gets past (seen with Debian's 6.1).
 */
void take_network_down(void) {
  struct ifreq change = {0};
  memcpy(change.ifr_name, config.interface, sizeof config.interface);
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (ioctl(descriptor, SIOCSIFFLAGS, &change) != 0) say("cannot take %s down: %s", config.interface, strerror(errno));
  close(descriptor);
}

/* The ACPI power button arrives as a key: a guest without an init system must answer it itself. */
void *watch_power_button(void *unused) {
  (void)unused;
  struct pollfd inputs[8];
  nfds_t count = 0;
  for (int i = 0; i < 8; i++) {
    char path[32];
    snprintf(path, sizeof path, "/dev/input/event%d", i);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) inputs[count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
  }
  while (count > 0 && poll(inputs, count, -1) > 0) {
    for (nfds_t i = 0; i < count; i++) {
      struct input_event event;
      if ((inputs[i].revents & POLLIN) == 0 || read(inputs[i].fd, &event, sizeof event) != sizeof event) continue;
      if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1) power_off(LINUX_REBOOT_CMD_POWER_OFF);
    }
  }
  return NULL;
}
