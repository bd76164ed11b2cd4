/* A mock upstream and a stream load for loopback benchmarks, on epoll, one thread each.
 *
 *   loopback serve PORT CHUNKS INTERVAL_US    answers OpenAI chat calls; prints READY
 *   loopback streams PORT N BODY_FILE         opens N streams at once; prints one JSON line
 *
 * serve: a body with "stream":true gets CHUNKS server-sent events, the first at once and one every
 * INTERVAL_US, then usage and [DONE]; any other body gets a 1 KB completion. streams: a stall is a
 * gap between two reads of one stream of more than 250 ms. Knows nothing of stockpot.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAXFD 65536
#define STALL_NS 250000000LL

typedef struct {
    char *in;
    size_t have, size;
    int streaming, sent, events;
    int64_t due, last, first, begun;
    int64_t widest;
    char tail[8];
    int done;
} Conn;

static Conn conns[MAXFD];
static int listening, epoll_fd, chunks;
static int64_t interval_ns;
static int active[MAXFD], n_active;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void nonblocking(int fd) {
    int one = 1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void watch(int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

static void drop(int fd) {
    free(conns[fd].in);
    memset(&conns[fd], 0, sizeof(Conn));
    close(fd);
}

static int put(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (n <= 0) return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* --- serve --- */

static char whole[4096];
static size_t whole_size;

static void make_answer(void) {
    char text[801], body[2048];
    memset(text, 'b', 800);
    text[800] = 0;
    int size = snprintf(body, sizeof body,
        "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\",\"created\":1700000000,"
        "\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
        "\"content\":\"%s\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":500,"
        "\"completion_tokens\":200,\"total_tokens\":700}}", text);
    whole_size = (size_t)snprintf(whole, sizeof whole,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s",
        size, body);
}

static int send_event(int fd, const char *data) {
    char frame[1024];
    size_t size = strlen(data) + 8;
    int n = snprintf(frame, sizeof frame, "%zx\r\ndata: %s\n\n\r\n", size, data);
    return put(fd, frame, (size_t)n);
}

static int stream_step(int fd, Conn *c, int64_t now) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    if (c->sent == 0 && put(fd, head, sizeof head - 1)) return -1;
    if (c->sent < chunks) {
        if (send_event(fd, "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\","
            "\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":"
            "{\"content\":\" word\"},\"finish_reason\":null}]}")) return -1;
        c->sent++;
        c->due += interval_ns;
        if (c->sent < chunks) return c->due <= now ? 1 : 0;
    }
    if (send_event(fd, "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\","
        "\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{},"
        "\"finish_reason\":\"stop\"}]}")) return -1;
    if (send_event(fd, "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\","
        "\"created\":1700000000,\"model\":\"mock\",\"choices\":[],\"usage\":{\"prompt_tokens\":500,"
        "\"completion_tokens\":50,\"total_tokens\":550}}")) return -1;
    if (send_event(fd, "[DONE]") || put(fd, "0\r\n\r\n", 5)) return -1;
    c->streaming = 0;
    return 0;
}

static int handle(int fd, Conn *c) {
    char *end;
    while ((end = memmem(c->in, c->have, "\r\n\r\n", 4))) {
        size_t head = (size_t)(end - c->in) + 4, length = 0;
        char keep = *end;
        *end = 0;
        char *at = strcasestr(c->in, "content-length:");
        if (at) length = strtoul(at + 15, NULL, 10);
        *end = keep;
        if (c->have < head + length) return 0;
        int wants = memmem(c->in + head, length, "\"stream\":true", 13) ||
                    memmem(c->in + head, length, "\"stream\": true", 14);
        c->have -= head + length;
        memmove(c->in, c->in + head + length, c->have);
        if (!wants) {
            if (put(fd, whole, whole_size)) return -1;
            continue;
        }
        c->streaming = 1;
        c->sent = 0;
        c->due = now_ns();
        int more;
        while ((more = stream_step(fd, c, now_ns())) == 1) {}
        if (more < 0) return -1;
        if (c->streaming) active[n_active++] = fd;
    }
    return 0;
}

static void on_readable(int fd) {
    Conn *c = &conns[fd];
    for (;;) {
        if (c->size - c->have < 65536) {
            c->size = c->size ? c->size * 2 : 131072;
            c->in = realloc(c->in, c->size);
        }
        ssize_t n = recv(fd, c->in + c->have, c->size - c->have - 1, 0);
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) { drop(fd); return; }
        c->have += (size_t)n;
        if ((size_t)n < 65536) break;
    }
    if (handle(fd, c) < 0) drop(fd);
}

static void run_streams(void) {
    int64_t now = now_ns();
    for (int i = 0; i < n_active;) {
        int fd = active[i];
        Conn *c = &conns[fd];
        int more = 0;
        while (c->streaming && c->due <= now && (more = stream_step(fd, c, now)) == 1) {}
        if (more < 0) drop(fd);
        if (!conns[fd].streaming) active[i] = active[--n_active];
        else i++;
    }
}

static int serve(int port) {
    int one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    listening = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listening, (void *)&a, sizeof a) || listen(listening, 4096)) return perror("bind"), 1;
    nonblocking(listening);
    watch(listening);
    make_answer();
    puts("READY");
    fflush(stdout);
    struct epoll_event events[512];
    for (;;) {
        int n = epoll_wait(epoll_fd, events, 512, n_active ? 1 : 1000);
        if (getppid() == 1) return 0;
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd != listening) { on_readable(fd); continue; }
            int client;
            while ((client = accept(listening, NULL, NULL)) >= 0) { nonblocking(client); watch(client); }
        }
        if (n_active) run_streams();
    }
}

/* --- streams --- */

static int streams(int port, int n, const char *file) {
    static char request[1 << 20];
    FILE *f = fopen(file, "rb");
    size_t size = f ? fread(request, 1, sizeof request, f) : 0;
    if (!size) return fprintf(stderr, "no request in %s\n", file), 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    int open = 0, completed = 0, failed = 0, stalled = 0, events_seen = 0;
    int64_t widest = 0, ttft_worst = 0, begun = now_ns();
    for (int i = 0; i < n; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (void *)&a, sizeof a)) { failed++; close(fd); continue; }
        nonblocking(fd);
        watch(fd);
        conns[fd].begun = conns[fd].last = now_ns();
        if (put(fd, request, size)) { failed++; close(fd); continue; }
        open++;
        if (i % 16 == 15) usleep(1000); /* a stampede measures accept, not streaming */
    }
    struct epoll_event events[512];
    char buf[65536];
    while (open && now_ns() - begun < 60000000000LL) {
        int k = epoll_wait(epoll_fd, events, 512, 1000);
        for (int i = 0; i < k; i++) {
            int fd = events[i].data.fd;
            Conn *c = &conns[fd];
            ssize_t got = recv(fd, buf, sizeof buf, 0);
            if (got < 0 && errno == EAGAIN) continue;
            int64_t t = now_ns();
            if (got > 0) {
                if (!c->first) { c->first = t; if (t - c->begun > ttft_worst) ttft_worst = t - c->begun; }
                else if (t - c->last > c->widest) c->widest = t - c->last;
                c->last = t;
                events_seen++;
                size_t keep = (size_t)got < 5 ? (size_t)got : 5;
                memmove(c->tail, c->tail + keep, 5 - keep);
                memcpy(c->tail + 5 - keep, buf + got - keep, keep);
                if (memcmp(c->tail, "0\r\n\r\n", 5)) continue;
                completed++;
            } else failed++;
            if (c->widest > STALL_NS) stalled++;
            if (c->widest > widest) widest = c->widest;
            open--;
            drop(fd);
        }
    }
    printf("{\"streams\": %d, \"completed\": %d, \"failed\": %d, \"stalled\": %d, "
           "\"widest_gap_ms\": %.2f, \"worst_ttft_ms\": %.2f, \"reads\": %d, \"seconds\": %.3f}\n",
           n, completed, failed + open, stalled, (double)widest / 1e6, (double)ttft_worst / 1e6,
           events_seen, (double)(now_ns() - begun) / 1e9);
    return 0;
}

int main(int argc, char **argv) {
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max < MAXFD ? r.rlim_max : MAXFD;
    setrlimit(RLIMIT_NOFILE, &r);
    epoll_fd = epoll_create1(0);
    if (argc == 5 && !strcmp(argv[1], "serve")) {
        chunks = atoi(argv[3]);
        interval_ns = atoll(argv[4]) * 1000;
        return serve(atoi(argv[2]));
    }
    if (argc == 5 && !strcmp(argv[1], "streams")) return streams(atoi(argv[2]), atoi(argv[3]), argv[4]);
    return fputs("usage: loopback serve PORT CHUNKS INTERVAL_US | streams PORT N BODY_FILE\n", stderr), 2;
}
