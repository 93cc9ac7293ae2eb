/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every request at the Docker door: versions, headers, errors. */
#include "lib/docker.h"

TEST(ping_tells_the_version_to_head_and_get)
{
    cleanup_buf struct buf head = { 0 };
    cleanup_buf struct buf get = { 0 };
    struct docker docker;

    docker_open(&docker);
    docker_talk(&docker, "HEAD /_ping", NULL, &head);
    docker_talk(&docker, "GET /v1.30/_ping", NULL, &get);
    CHECK_INT(docker_status(&head), 200);
    CHECK(strstr(head.data, "Api-Version: 1.43\r\n") != NULL);
    CHECK(strstr(head.data, "Ostype: linux\r\n") != NULL);
    CHECK(strstr(head.data, "\r\n\r\n")[4] == '\0');
    CHECK(strstr(get.data, "\r\n\r\nOK") != NULL);
    docker_close(&docker);
}

TEST(versions_that_are_not_spoken_are_refused_in_the_words_of_dockerd)
{
    struct docker docker;

    docker_open(&docker);
    docker_refuse(&docker, "GET /v1.99/version", NULL, 400,
                  "client version 1.99 is too new. Maximum supported API version is 1.43");
    docker_refuse(&docker, "GET /v2.0/version", NULL, 400,
                  "client version 2.0 is too new. Maximum supported API version is 1.43");
    docker_refuse(&docker, "GET /v1.23/version", NULL, 400,
                  "client version 1.23 is too old. Minimum supported API version is 1.24, please "
                  "upgrade your client to a newer version");
    docker_refuse(&docker, "GET /v0.1/version", NULL, 400,
                  "client version 0.1 is too old. Minimum supported API version is 1.24, please "
                  "upgrade your client to a newer version");
    docker_do(&docker, "GET /v1.24/version", NULL, 200);
    docker_do(&docker, "GET /v1.43/version", NULL, 200);
    docker_do(&docker, "GET /version", NULL, 200);
    docker_close(&docker);
}

TEST(unknown_paths_and_methods_are_not_found)
{
    struct docker docker;

    docker_open(&docker);
    docker_refuse(&docker, "GET /nothing", NULL, 404, "page not found");
    docker_refuse(&docker, "PATCH /v1.43/volumes", NULL, 404, "page not found");
    docker_refuse(&docker, "GET /v1.x/volumes", NULL, 404, "page not found");
    docker_refuse(&docker, "GET /volumed", NULL, 404, "page not found");
    docker_close(&docker);
}

TEST(parts_that_are_not_there_say_so)
{
    struct docker docker;

    docker_open(&docker);
    docker_do(&docker, "GET /swarm", NULL, 503);
    docker_do(&docker, "POST /swarm/init", "{}", 503);
    docker_do(&docker, "POST /build?t=x", NULL, 501);
    docker_do(&docker, "POST /auth", "{}", 501);
    docker_do(&docker, "POST /images/create?fromImage=busybox&tag=latest", NULL, 404);
    docker_do(&docker, "POST /images/reg:5000/a/b/push?tag=c", NULL, 501);
    cleanup_json json_t *plugins = docker_ask(&docker, "GET /plugins", NULL, 200);
    CHECK_INT((int)json_array_size(plugins), 0);
    docker_close(&docker);
}

TEST(networks_are_none_and_host_and_fixed)
{
    struct docker docker;

    docker_open(&docker);
    cleanup_json json_t *all = docker_ask(&docker, "GET /networks", NULL, 200);
    CHECK_INT((int)json_array_size(all), 2);
    cleanup_json json_t *some =
        docker_ask(&docker, "GET /networks?filters={%22driver%22:[%22host%22]}", NULL, 200);
    CHECK_STR(text_of(json_array_get(some, 0), "Name"), "host");
    docker_refuse(&docker, "GET /networks/bridge", NULL, 404, "network bridge not found");
    docker_refuse(&docker, "DELETE /networks/none", NULL, 403,
                  "none is a pre-defined network and cannot be removed");
    docker_do(&docker, "POST /networks/create", "{\"Name\":\"n1\"}", 501);
    docker_close(&docker);
}
