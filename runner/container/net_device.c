/* SPDX-License-Identifier: Apache-2.0 */
/* A few requests of rtnetlink(7), by one socket in each of the two namespaces. */
#include "runner/container/net_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"

#define ADDRESSES_MAX 64
#define REPLY_SIZE    32768

struct address {
    struct ifaddrmsg head;
    unsigned char bytes[16];
    size_t size;
};

struct addresses {
    struct address items[ADDRESSES_MAX];
    size_t count;
};

/* One message on its way out. */
struct request {
    struct nlmsghdr head;

    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
    } body;

    char attributes[256];
};

/* Both ends of a move. */
struct move {
    int host_fd;
    int container_fd;
    int namespace_fd; /* the container's */
};

static bool is_name(const char *name);
static int move_open(struct move *move, pid_t pid, struct error *err);
static int move_one(const struct move *move, const char *name, const char *new_name,
                    struct error *err);
static int open_in(int namespace_fd);
static int find_index(int fd, const char *name);
static int read_addresses(int fd, int index, struct addresses *addresses);
static int take_reply(const struct nlmsghdr *head, unsigned int size, int index,
                      struct addresses *addresses);
static bool take_address(const struct nlmsghdr *head, int index, struct addresses *addresses);
static int send_link(int fd, int index, int namespace_fd, const char *new_name);
static int raise_link(int fd, int index);
static int add_address(int fd, int index, const struct address *address);
static void request_begin(struct request *request, int type, size_t body_size);
static void request_add(struct request *request, int type, const void *data, size_t size);
static int request_do(int fd, struct request *request);

int net_devices_check(json_t *devices, struct error *err)
{
    const char *name;
    json_t *device;

    json_object_foreach(devices, name, device)
    {
        const json_t *new_name = json_object_get(device, "name");
        if (!json_is_object(device) || (new_name != NULL && !json_is_string(new_name)))
            return fail(err, ERR_INVALID, "'linux.netDevices.%.16s' must be an object", name);
        if (!is_name(name) || (new_name != NULL && !is_name(json_string_value(new_name))))
            return fail(err, ERR_INVALID, "'linux.netDevices.%.64s': not a name of an interface",
                        name);
    }
    return 0;
}

int net_devices_move(json_t *devices, pid_t pid, struct error *err)
{
    struct move move = { -1, -1, -1 };
    const char *name;
    json_t *device;
    int rc = 0;

    if (json_object_size(devices) == 0)
        return 0;
    rc = move_open(&move, pid, err);
    json_object_foreach(devices, name, device)
    {
        const char *new_name = json_string_value(json_object_get(device, "name"));
        if (rc == 0 && move_one(&move, name, new_name != NULL ? new_name : name, err) < 0)
            rc = error_prefix(err, "cannot move network device '%s'", name);
    }
    sys_close_fd(&move.host_fd);
    sys_close_fd(&move.container_fd);
    sys_close_fd(&move.namespace_fd);
    return rc;
}

static bool is_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length < IFNAMSIZ && strpbrk(name, "/: \t\n") == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int move_open(struct move *move, pid_t pid, struct error *err)
{
    char path[48];

    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid); /* fits */
    move->namespace_fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    int rc = move->namespace_fd;
    if (rc >= 0)
        rc = move->host_fd = open_in(-1);
    if (rc >= 0)
        rc = move->container_fd = open_in(move->namespace_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot reach the container's network") : 0;
}

static int move_one(const struct move *move, const char *name, const char *new_name,
                    struct error *err)
{
    struct addresses addresses = { 0 };
    int index = find_index(move->host_fd, name);

    if (index == -ENODEV)
        return fail(err, ERR_NOT_FOUND, "there is none");
    /* Asked before: the kernel would move it all the same, and then refuse the name. */
    if (find_index(move->container_fd, new_name) >= 0)
        return fail(err, ERR_EXISTS, "the container has '%s' already", new_name);
    int rc = index < 0 ? index : read_addresses(move->host_fd, index, &addresses);
    if (rc >= 0)
        rc = send_link(move->host_fd, index, move->namespace_fd, new_name);
    if (rc >= 0)
        rc = index = find_index(move->container_fd, new_name); /* may be another there */
    for (size_t i = 0; rc >= 0 && i < addresses.count; i++)
        rc = add_address(move->container_fd, index, &addresses.items[i]);
    if (rc >= 0)
        rc = raise_link(move->container_fd, index);
    return rc < 0 ? fail_sys(err, rc, "to '%s'", new_name) : 0;
}

/* A socket belongs to the namespace that it was made in.  The process has one thread. */
static int open_in(int namespace_fd)
{
    cleanup_fd int own_fd = -1;
    int rc = 0;

    if (namespace_fd >= 0) {
        own_fd = sys_openat(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0);
        rc = own_fd < 0 ? own_fd : setns(namespace_fd, CLONE_NEWNET) < 0 ? -errno : 0;
    }
    if (rc < 0)
        return rc;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    rc = fd < 0 ? -errno : fd;
    if (own_fd >= 0 && setns(own_fd, CLONE_NEWNET) < 0)
        _exit(1); /* nothing that follows would happen where it should */
    return rc;
}

static int find_index(int fd, const char *name)
{
    struct ifreq request = { 0 };

    memcpy(request.ifr_name, name, strlen(name));
    int rc = sys_ioctl(fd, SIOCGIFINDEX, &request);
    return rc < 0 ? rc : request.ifr_ifindex;
}

static int read_addresses(int fd, int index, struct addresses *addresses)
{
    struct request request = { 0 };
    _Alignas(struct nlmsghdr) static char reply[REPLY_SIZE];
    int rc;

    request_begin(&request, RTM_GETADDR, sizeof(request.body.address));
    request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    if (send(fd, &request, request.head.nlmsg_len, 0) < 0)
        return -errno;
    do {
        ssize_t size = recv(fd, reply, sizeof(reply), 0);
        rc = size < 0 ? -errno
                      : take_reply((const void *)reply, (unsigned int)size, index, addresses);
    } while (rc > 0);
    return rc;
}

/* 1 while more is to come, 0 at the end. */
static int take_reply(const struct nlmsghdr *head, unsigned int size, int index,
                      struct addresses *addresses)
{
    for (; NLMSG_OK(head, size); head = NLMSG_NEXT(head, size)) {
        if (head->nlmsg_type == NLMSG_DONE)
            return 0;
        if (head->nlmsg_type == NLMSG_ERROR)
            return -EIO;
        if (!take_address(head, index, addresses))
            return -E2BIG;
    }
    return 1;
}

/* Global ones that somebody has set: the others come by themselves.  False when there is no room.
 */
static bool take_address(const struct nlmsghdr *head, int index, struct addresses *addresses)
{
    const struct ifaddrmsg *message = NLMSG_DATA(head);
    unsigned int left = (unsigned int)IFA_PAYLOAD(head);
    struct address address = { .head = *message };

    if (message->ifa_index != (unsigned int)index || message->ifa_scope != RT_SCOPE_UNIVERSE ||
        (message->ifa_flags & IFA_F_PERMANENT) == 0)
        return true;
    for (const struct rtattr *item = IFA_RTA(message); RTA_OK(item, left);
         item = RTA_NEXT(item, left)) {
        bool is_local = item->rta_type == IFA_LOCAL; /* else, of IPv6, IFA_ADDRESS alone */
        if ((is_local || (item->rta_type == IFA_ADDRESS && address.size == 0)) &&
            RTA_PAYLOAD(item) <= sizeof(address.bytes)) {
            address.size = RTA_PAYLOAD(item);
            memcpy(address.bytes, RTA_DATA(item), address.size);
        }
    }
    if (addresses->count == ADDRESSES_MAX)
        return false;
    if (address.size > 0)
        addresses->items[addresses->count++] = address;
    return true;
}

static int send_link(int fd, int index, int namespace_fd, const char *new_name)
{
    struct request request = { 0 };
    uint32_t namespace_number = (uint32_t)namespace_fd;

    request_begin(&request, RTM_NEWLINK, sizeof(request.body.link));
    request.body.link.ifi_index = index;
    request_add(&request, IFLA_NET_NS_FD, &namespace_number, sizeof(namespace_number));
    request_add(&request, IFLA_IFNAME, new_name, strlen(new_name) + 1);
    return request_do(fd, &request);
}

static int raise_link(int fd, int index)
{
    struct request request = { 0 };

    request_begin(&request, RTM_NEWLINK, sizeof(request.body.link));
    request.body.link.ifi_index = index;
    request.body.link.ifi_flags = IFF_UP;
    request.body.link.ifi_change = IFF_UP;
    return request_do(fd, &request);
}

static int add_address(int fd, int index, const struct address *address)
{
    struct request request = { 0 };

    request_begin(&request, RTM_NEWADDR, sizeof(request.body.address));
    request.head.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
    request.body.address = address->head;
    request.body.address.ifa_index = (unsigned int)index;
    request_add(&request, IFA_LOCAL, address->bytes, address->size);
    request_add(&request, IFA_ADDRESS, address->bytes, address->size);
    return request_do(fd, &request);
}

static void request_begin(struct request *request, int type, size_t body_size)
{
    request->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body_size);
    request->head.nlmsg_type = (uint16_t)type;
    request->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
}

/* Two of sixteen bytes, or a number and a name: fits. */
static void request_add(struct request *request, int type, const void *data, size_t size)
{
    char *end = (char *)request + NLMSG_ALIGN(request->head.nlmsg_len);
    struct rtattr head = { .rta_len = (unsigned short)RTA_LENGTH(size),
                           .rta_type = (unsigned short)type };

    memcpy(end, &head, sizeof(head));
    memcpy(end + RTA_LENGTH(0), data, size);
    request->head.nlmsg_len =
        NLMSG_ALIGN(request->head.nlmsg_len) + (uint32_t)RTA_ALIGN(head.rta_len);
}

static int request_do(int fd, struct request *request)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char rest[512];
    } reply = { 0 };

    if (send(fd, request, request->head.nlmsg_len, 0) < 0 || recv(fd, &reply, sizeof(reply), 0) < 0)
        return -errno;
    return reply.head.nlmsg_type == NLMSG_ERROR ? reply.error.error : -EIO;
}
