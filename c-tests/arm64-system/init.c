/* The first and only service of the emulated machine: runs the commands of /commands and tells, on the serial console,
 * what each wrote and how it ended. Then it switches the machine off.
 *
 * What it keeps: every byte and every end is told, in order, in frames that can be told from anything else on the
 * console (the kernel writes there too when it dies) and from frames that were damaged or lost.
 *
 * A line of /commands is a word that says what it is, and its arguments, quoted as in a frame:
 *     directory PATH           where the commands run
 *     jobs NUMBER              how many at the same time
 *     command SECONDS WORD...  one command, killed after so long; leading words NAME=VALUE are its environment
 *
 * A frame is a line of its own: '@', its number, the command's number, what it is, at most one argument, and the CRC-32
 * of all before, each after one blank:
 *     start                    the command was started
 *     out TEXT, err TEXT       it wrote that to standard output, to standard error
 *     exit STATUS, signal NUMBER, limit SECONDS      how it ended; nothing more comes from it
 *     log TEXT, off            of no command: the kernel's log; the last frame
 * Quoted means: of a byte that is no printable ASCII character, or a blank or '%', '%' and two hexadecimal digits. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { MAX_JOBS = 8, MAX_WORDS = 256, CHUNK = 1024, NO_COMMAND = -1 };

/* The first serial port, which the kernel's console is on: a PL011, or an 8250. */
#if defined(__x86_64__)
#define SERIAL_PORT "/dev/ttyS0"
#else
#define SERIAL_PORT "/dev/ttyAMA0"
#endif

/* What <linux/syslog.h> calls SYSLOG_ACTION_...; glibc has no names for them. */
enum { LOG_READ_ALL = 3, LOG_CONSOLE_LEVEL = 8, LOG_SIZE = 10 };

/* Nothing can be told about a machine that cannot be set up: the kernel panics when its first process ends. */
static void must(int good, const char *what) {
  if (!good) {
    dprintf(STDERR_FILENO, "init: %s: %s\n", what, strerror(errno));
    _exit(1);
  }
}

/* ---- Frames ---- */

static int console;

static uint32_t crc32(const char *bytes, size_t size) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; i++) {
    crc ^= (unsigned char)bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320 & (0 - (crc & 1)));
  }
  return ~crc;
}

static size_t quote(char *quoted, const char *bytes, size_t size) {
  static const char digits[] = "0123456789abcdef";
  char *end = quoted;
  for (size_t i = 0; i < size; i++) {
    const unsigned char byte = (unsigned char)bytes[i];
    if (byte > ' ' && byte < 0x7f && byte != '%') {
      *end++ = bytes[i];
    } else {
      *end++ = '%';
      *end++ = digits[byte >> 4];
      *end++ = digits[byte & 15];
    }
  }
  return (size_t)(end - quoted);
}

/* In place: what is unquoted is never longer. */
static void unquote(char *text) {
  char *end = text;
  for (; *text != '\0'; text++) {
    if (text[0] == '%' && text[1] != '\0' && text[2] != '\0') {
      const char digits[] = {text[1], text[2], '\0'};
      *end++ = (char)strtoul(digits, NULL, 16);
      text += 2;
    } else {
      *end++ = *text;
    }
  }
  *end = '\0';
}

/* The line break in front ends whatever else the console was in the middle of. */
static void tell(int command, const char *kind, const char *bytes, size_t size) {
  static unsigned number;
  char line[3 * CHUNK + 128];
  int used = snprintf(line, sizeof line, "\n@ %u %d %s ", number++, command, kind);
  if (size != 0) {
    used += (int)quote(line + used, bytes, size);
    line[used++] = ' ';
  }
  const uint32_t crc = crc32(line + 1, (size_t)used - 1);
  used += snprintf(line + used, sizeof line - (size_t)used, "%08x\n", (unsigned)crc);
  for (int written = 0; written < used;) {
    const ssize_t now = write(console, line + written, (size_t)(used - written));
    must(now > 0 || errno == EINTR, "write to the console");
    if (now > 0) written += (int)now;
  }
}

static void tell_number(int command, const char *kind, int number) {
  char digits[16];
  tell(command, kind, digits, (size_t)snprintf(digits, sizeof digits, "%d", number));
}

static void tell_kernel_log(void) {
  const int size = klogctl(LOG_SIZE, NULL, 0);
  char *const log = malloc(size > 0 ? (size_t)size : 1);
  must(log != NULL, "malloc");
  const int length = klogctl(LOG_READ_ALL, log, size);
  for (int start = 0; start < length; start += CHUNK) {
    tell(NO_COMMAND, "log", log + start, (size_t)(length - start < CHUNK ? length - start : CHUNK));
  }
  free(log);
}

/* ---- Commands ---- */

typedef struct job_t {
  int command; /* NO_COMMAND: free */
  pid_t process;
  int seconds;
  time_t deadline;
  int streams[2];
} job_t;

static const char *const stream_kinds[2] = {"out", "err"};
static job_t jobs[MAX_JOBS];
static const char *directory = "/";

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

/* A process group of its own, default signals, and nothing open but the three standard streams. */
static void become(char **words, int output, int errors) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  const int nothing = open("/dev/null", O_RDONLY);
  if (dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0) _exit(126);
  close(nothing);
  for (; *words != NULL && strchr(*words, '=') != NULL; words++) putenv(*words);
  if (*words != NULL && chdir(directory) == 0) execvp(*words, words);
  dprintf(STDERR_FILENO, "init: %s: %s\n", *words != NULL ? *words : "no command", strerror(errno));
  _exit(127);
}

static void start(job_t *job, int command, int seconds, char **words) {
  int output[2], errors[2];
  must(pipe2(output, O_CLOEXEC) == 0 && pipe2(errors, O_CLOEXEC) == 0, "pipe");
  tell(command, "start", "", 0);
  const pid_t process = fork();
  must(process >= 0, "fork");
  if (process == 0) become(words, output[1], errors[1]);
  close(output[1]);
  close(errors[1]);
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  fcntl(errors[0], F_SETFL, O_NONBLOCK);
  *job = (job_t){command, process, seconds, now() + seconds, {output[0], errors[0]}};
}

/* Tells what there is to read now. At the end of the stream it is closed. */
static void pass_on(job_t *job, int stream) {
  char bytes[CHUNK];
  for (;;) {
    const ssize_t size = read(job->streams[stream], bytes, sizeof bytes);
    if (size < 0) {
      must(errno == EAGAIN || errno == EINTR, "read from a command");
      return;
    }
    if (size == 0) {
      close(job->streams[stream]);
      job->streams[stream] = -1;
      return;
    }
    tell(job->command, stream_kinds[stream], bytes, (size_t)size);
  }
}

/* What a command leaves running ends with it. What it had written by then is in the pipes. */
static void finish(job_t *job, const char *kind, int number) {
  kill(-job->process, SIGKILL);
  for (int stream = 0; stream < 2; stream++) {
    if (job->streams[stream] >= 0) pass_on(job, stream);
    if (job->streams[stream] >= 0) close(job->streams[stream]);
  }
  tell_number(job->command, kind, number);
  job->command = NO_COMMAND;
}

/* Every process whose parent is gone becomes a child of this one; only the commands' own are told about. */
static void reap(void) {
  int status;
  pid_t process;
  while ((process = waitpid(-1, &status, WNOHANG)) > 0) {
    for (int i = 0; i < MAX_JOBS; i++) {
      if (jobs[i].command == NO_COMMAND || jobs[i].process != process) continue;
      if (WIFSIGNALED(status)) {
        finish(&jobs[i], "signal", WTERMSIG(status));
      } else {
        finish(&jobs[i], "exit", WEXITSTATUS(status));
      }
    }
  }
}

static void wait_for_something(int children) {
  struct pollfd polled[1 + 2 * MAX_JOBS];
  polled[0] = (struct pollfd){children, POLLIN, 0};
  for (int i = 0; i < 2 * MAX_JOBS; i++) {
    const job_t *const job = &jobs[i / 2];
    polled[1 + i] = (struct pollfd){job->command == NO_COMMAND ? -1 : job->streams[i % 2], POLLIN, 0};
  }
  poll(polled, 1 + 2 * MAX_JOBS, 1000);
  for (int i = 0; i < 2 * MAX_JOBS; i++) {
    if (polled[1 + i].revents != 0) pass_on(&jobs[i / 2], i % 2);
  }
  struct signalfd_siginfo ended;
  if (polled[0].revents != 0) must(read(children, &ended, sizeof ended) > 0, "read from signalfd");
  reap();
  for (int i = 0; i < MAX_JOBS; i++) {
    if (jobs[i].command != NO_COMMAND && now() >= jobs[i].deadline) finish(&jobs[i], "limit", jobs[i].seconds);
  }
}

static job_t *free_job(int count) {
  for (int i = 0; i < count; i++) {
    if (jobs[i].command == NO_COMMAND) return &jobs[i];
  }
  return NULL;
}

static int split(char *line, char **words) {
  int count = 0;
  for (char *word = strtok(line, " \n"); word != NULL && count < MAX_WORDS - 1; word = strtok(NULL, " \n")) {
    unquote(word);
    words[count++] = word;
  }
  words[count] = NULL;
  return count;
}

static void run_commands(FILE *commands, int children) {
  int job_count = 1, command = 0;
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, commands) > 0) {
    char *words[MAX_WORDS];
    if (split(line, words) < 2) continue;
    if (strcmp(words[0], "directory") == 0) {
      directory = strdup(words[1]);
    } else if (strcmp(words[0], "jobs") == 0) {
      job_count = atoi(words[1]) < MAX_JOBS ? atoi(words[1]) : MAX_JOBS;
    } else {
      job_t *job;
      while ((job = free_job(job_count)) == NULL) wait_for_something(children);
      start(job, command++, atoi(words[1]), words + 2);
    }
  }
  for (int i = 0; i < MAX_JOBS; i++) {
    while (jobs[i].command != NO_COMMAND) wait_for_something(children);
  }
  free(line);
}

/* ---- The machine ---- */

static void mount_at(const char *kind, const char *place) {
  mkdir(place, 0755);
  must(mount(kind, place, kind, 0, NULL) == 0, place);
}

static void set_up(void) {
  mount_at("devtmpfs", "/dev");
  mount_at("proc", "/proc");
  mount_at("sysfs", "/sys");
  mount_at("tmpfs", "/dev/shm");
  mount_at("devpts", "/dev/pts");
  mkdir("/tmp", 0755); /* It may be there, with programs in it. */
  must(chmod("/tmp", 01777) == 0 && chmod("/dev/shm", 01777) == 0, "chmod");
  must(symlink("/proc/self/fd", "/dev/fd") == 0, "/dev/fd");

  /* Only a dying kernel still writes there itself. */
  klogctl(LOG_CONSOLE_LEVEL, NULL, 1);
  console = open(SERIAL_PORT, O_WRONLY | O_NOCTTY | O_CLOEXEC);
  must(console >= 0, SERIAL_PORT);
  struct termios settings;
  must(tcgetattr(console, &settings) == 0, "tcgetattr");
  cfmakeraw(&settings);
  must(tcsetattr(console, TCSANOW, &settings) == 0, "tcsetattr");

  setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
  setenv("HOME", "/", 1);
  setenv("LANG", "C.UTF-8", 1);
}

int main(void) {
  set_up();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  must(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
  const int children = signalfd(-1, &set, SFD_CLOEXEC);
  must(children >= 0, "signalfd");
  FILE *const commands = fopen("/commands", "re");
  must(commands != NULL, "/commands");

  for (int i = 0; i < MAX_JOBS; i++) jobs[i].command = NO_COMMAND;
  run_commands(commands, children);

  tell_kernel_log();
  tell(NO_COMMAND, "off", "", 0);
  tcdrain(console);
  must(reboot(RB_POWER_OFF) == 0, "reboot");
  return 1;
}
