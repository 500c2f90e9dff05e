/* Requests are one flat JSON object a line; answers too. Anything else is refused, never guessed. */
#include "observer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *at) { return at + strspn(at, " \t\r\n"); }

/* Reads a JSON string without \u escapes into `out`; NULL if it is none, too long, or holds control characters. */
static const char *read_string(const char *at, char *out, size_t size) {
  if (*at++ != '"') return NULL;
  size_t length = 0;
  for (; *at != '"'; at++) {
    char letter = *at;
    if (letter == '\\') {
      letter = *++at;
      if (letter != '"' && letter != '\\' && letter != '/') return NULL;
    }
    if ((unsigned char)letter < 0x20 || length + 1 >= size) return NULL;
    out[length++] = letter;
  }
  out[length] = 0;
  return at + 1;
}

bool parse_request(const char *line, struct request *request) {
  memset(request, 0, sizeof *request);
  const char *at = skip_space(line);
  if (*at++ != '{') return false;
  for (at = skip_space(at); *at != '}'; at = skip_space(at)) {
    char name[24];
    at = read_string(at, name, sizeof name);
    if (at == NULL || *(at = skip_space(at)) != ':') return false;
    at = skip_space(at + 1);
    if (*at == '"') {
      char text[128];
      at = read_string(at, text, sizeof text);
      if (at == NULL) return false;
      if (strcmp(name, "op") == 0) snprintf(request->op, sizeof request->op, "%.15s", text);
      else if (strcmp(name, "label") == 0) snprintf(request->label, sizeof request->label, "%.47s", text);
      else if (strcmp(name, "command") == 0) snprintf(request->command, sizeof request->command, "%s", text);
      else if (strcmp(name, "id") == 0) snprintf(request->id, sizeof request->id, "%.39s", text);
      else return false;
    } else {
      char *end;
      unsigned long value = strtoul(at, &end, 10);
      if (end == at || *at == '-' || value > UINT32_MAX) return false;
      at = end;
      if (strcmp(name, "vmid") == 0) request->vmid = (uint32_t)value;
      else if (strcmp(name, "timeoutMs") == 0) request->timeout_ms = (uint32_t)value;
      else return false;
    }
    at = skip_space(at);
    if (*at == ',') at++;
    else if (*at != '}') return false;
  }
  return *skip_space(at + 1) == 0;
}

static void print_string(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text != 0; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', out);
    fputc(*text, out);
  }
  fputc('"', out);
}

static double ms(int64_t ns) { return (double)ns / 1e6; }

static double since_ms(int64_t then_ns, int64_t now_ns) { return then_ns == 0 ? -1 : ms(now_ns - then_ns); }

static void print_gap(FILE *out, const struct gap *gap) {
  fprintf(out, "{\"endedAtMs\":%.3f,\"lengthMs\":%.3f,\"guestClockMs\":", ms(gap->ended_ns), ms(gap->length_ns));
  if (gap->guest_clock_ns < 0) fprintf(out, "null");
  else fprintf(out, "%.3f", ms(gap->guest_clock_ns));
  fprintf(out, ",\"tick\":%llu}", (unsigned long long)gap->tick);
}

static void print_gaps(FILE *out, const struct gap_log *log) {
  fprintf(out, "\"longestGapMs\":%.3f,\"longestGap\":", ms(log->longest.length_ns));
  if (log->longest.length_ns == 0) fprintf(out, "null");
  else print_gap(out, &log->longest);
  fprintf(out, ",\"gapCount\":%llu,\"gaps\":[", (unsigned long long)log->count);
  for (uint64_t i = log->count > GAPS ? log->count - GAPS : 0; i < log->count; i++) {
    print_gap(out, &log->ring[i % GAPS]);
    if (i + 1 < log->count) fputc(',', out);
  }
  fputc(']', out);
}

static void print_boots(FILE *out, const struct guest *guest) {
  uint64_t first = guest->boot_count > BOOTS ? guest->boot_count - BOOTS : 0;
  fprintf(out, "\"reboots\":%llu,\"boots\":[", (unsigned long long)guest->reboots);
  for (uint64_t i = first; i < guest->boot_count; i++) {
    const struct boot *boot = &guest->boots[i % BOOTS];
    fprintf(out, "%s{\"nonce\":\"%016llx\",\"firstSeenMs\":%.3f,\"lastSeenMs\":%.3f,\"firstTick\":%llu,\"lastTick\":%llu,\"journalFirst\":%llu,\"journalAcked\":%llu}",
            i == first ? "" : ",", (unsigned long long)boot->nonce, ms(boot->first_seen_ns), ms(boot->last_seen_ns), (unsigned long long)boot->first_tick,
            (unsigned long long)boot->last_tick, (unsigned long long)boot->journal_first, (unsigned long long)boot->journal_acked);
  }
  fprintf(out, "]");
}

static void print_ticks(FILE *out, const struct guest *guest, int64_t now_ns) {
  fprintf(out, "\"ticks\":{\"first\":%llu,\"last\":%llu,\"received\":%llu,\"missing\":%llu,\"duplicates\":%llu,\"reordered\":%llu,",
          (unsigned long long)guest->first_tick, (unsigned long long)guest->high_tick, (unsigned long long)guest->received,
          (unsigned long long)guest->missing, (unsigned long long)guest->duplicates, (unsigned long long)guest->reordered);
  fprintf(out, "\"regressions\":%llu,\"counterRegressions\":%llu,\"alternations\":%llu,\"doubleRunner\":%s,\"firstRegression\":",
          (unsigned long long)guest->regressions, (unsigned long long)guest->counter_regressions, (unsigned long long)guest->alternations,
          guest->alternations >= 2 ? "true" : "false");
  if (guest->regressions == 0) fprintf(out, "null");
  else fprintf(out, "{\"atMs\":%.3f,\"tick\":%llu,\"after\":%llu}", ms(guest->first_regression.at_ns), (unsigned long long)guest->first_regression.tick,
               (unsigned long long)guest->first_regression.after);
  fprintf(out, ",\"spacing\":[");
  for (int i = 0; i < SPACINGS; i++) {
    fprintf(out, "%s{\"upToMs\":", i == 0 ? "" : ",");
    if (i < SPACINGS - 1) fprintf(out, "%d", spacing_limits_ms[i]);
    else fprintf(out, "null");
    fprintf(out, ",\"count\":%llu}", (unsigned long long)guest->spacing[i]);
  }
  fprintf(out, "],\"silentMs\":%.3f,\"longestStopMs\":%.3f,\"longestStop\":", since_ms(guest->last_arrival_ns, now_ns),
          ms(guest->longest_stop_ns));
  if (guest->longest_stop_ns == 0) fprintf(out, "null");
  else print_gap(out, &guest->longest_stop);
  fputc(',', out);
  print_gaps(out, &guest->gaps);
  fprintf(out, "}");
}

void print_report(FILE *out, const struct guest *guest, const struct observer_facts *observer, int64_t now_ns) {
  char address[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &guest->address, address, sizeof address);
  fprintf(out, "\"vmid\":%u,\"nowMs\":%.3f,\"startedAtMs\":%.3f,\"address\":\"%s\",\"nonce\":\"%016llx\",\"tickMs\":%u,", guest->vmid, ms(now_ns),
          ms(guest->started_ns), address, (unsigned long long)guest->latest.nonce, guest->tick_ms);
  print_ticks(out, guest, now_ns);
  fprintf(out, ",\"ping\":{\"sent\":%llu,\"received\":%llu,\"silentMs\":%.3f,\"longestRoundTripMs\":%.3f,", (unsigned long long)guest->ping_sent,
          (unsigned long long)guest->ping_received, since_ms(guest->last_reply_ns, now_ns), ms(guest->longest_round_trip_ns));
  print_gaps(out, &guest->ping_gaps);
  fprintf(out, "},\"memory\":{\"errors\":%llu,\"pagesWritten\":%llu,\"pagesVerified\":%llu,\"passes\":%llu},",
          (unsigned long long)guest->latest.memory_errors, (unsigned long long)guest->latest.pages_written,
          (unsigned long long)guest->latest.pages_verified, (unsigned long long)guest->latest.verify_passes);
  fprintf(out, "\"journal\":{\"errors\":%llu},", (unsigned long long)guest->latest.journal_errors);
  print_boots(out, guest);
  fprintf(out, ",\"marks\":[");
  for (uint64_t i = guest->mark_count > MARKS ? guest->mark_count - MARKS : 0; i < guest->mark_count; i++) {
    const struct mark *mark = &guest->marks[i % MARKS];
    fprintf(out, "{\"atMs\":%.3f,\"tick\":%llu,\"label\":", ms(mark->at_ns), (unsigned long long)mark->tick);
    print_string(out, mark->label);
    fprintf(out, "}%s", i + 1 < guest->mark_count ? "," : "");
  }
  fprintf(out, "],\"observer\":{\"startedAtMs\":%.3f,\"restarts\":%llu,\"rejected\":%llu}", ms(observer->started_ns), (unsigned long long)observer->restarts,
          (unsigned long long)observer->rejected);
}

void print_summary(FILE *out, const struct guest *guest, int64_t now_ns) {
  char address[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &guest->address, address, sizeof address);
  fprintf(out, "{\"vmid\":%u,\"address\":\"%s\",\"nonce\":\"%016llx\",\"tick\":%llu,\"silentMs\":%.3f}", guest->vmid, address,
          (unsigned long long)guest->latest.nonce, (unsigned long long)guest->high_tick, since_ms(guest->last_arrival_ns, now_ns));
}
