/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's table of contents.  What each row takes and gives is in the OpenAPI text. */
#include "api/native/handlers.h"
#include "api/native/native.h"

/* clang-format off */
const struct route native_routes[] = {
    { "GET",    "/volumed/v1/volumes",                                native_volume_list },
    { "POST",   "/volumed/v1/volumes",                                native_volume_create },
    { "POST",   "/volumed/v1/volumes/prune",                          native_volume_prune },
    { "GET",    "/volumed/v1/volumes/{volume}",                       native_volume_get },
    { "PATCH",  "/volumed/v1/volumes/{volume}",                       native_volume_change },
    { "DELETE", "/volumed/v1/volumes/{volume}",                       native_volume_remove },
    { "GET",    "/volumed/v1/volumes/{volume}/usage",                 native_volume_usage },
    { "GET",    "/volumed/v1/volumes/{volume}/references",            native_volume_references },
    { "DELETE", "/volumed/v1/volumes/{volume}/engine-mounts",         native_volume_release },
    { "POST",   "/volumed/v1/volumes/{volume}/rollback",              native_snapshot_rollback },
    { "GET",    "/volumed/v1/volumes/{volume}/snapshots",             native_snapshot_list },
    { "POST",   "/volumed/v1/volumes/{volume}/snapshots",             native_snapshot_create },
    { "GET",    "/volumed/v1/volumes/{volume}/snapshots/{snapshot}",  native_snapshot_get },
    { "DELETE", "/volumed/v1/volumes/{volume}/snapshots/{snapshot}",  native_snapshot_remove },
    { "GET",    "/volumed/v1/snapshots",                              native_snapshot_list_all },
    { "GET",    "/volumed/v1/volumes/{volume}/files",                 native_file_list },
    { "GET",    "/volumed/v1/volumes/{volume}/files/content",         native_file_read },
    { "GET",    "/volumed/v1/volumes/{volume}/files/archive",         native_file_archive },
    { "GET",    "/volumed/v1/lineage",                                native_lineage_get },
    { "GET",    "/volumed/v1/trash",                                  native_trash_list },
    { "POST",   "/volumed/v1/trash/purge",                            native_trash_purge },
    { "GET",    "/volumed/v1/trash/{entry}",                          native_trash_get },
    { "DELETE", "/volumed/v1/trash/{entry}",                          native_trash_purge_one },
    { "POST",   "/volumed/v1/trash/{entry}/restore",                  native_trash_restore },
    { "GET",    "/volumed/v1/diff",                                   native_diff },
    { "GET",    "/volumed/v1/containers/{container}/attachments",     native_container_attachments },
    { "POST",   "/volumed/v1/containers/{container}/attachments",     native_attachment_create },
    { "DELETE", "/volumed/v1/containers/{container}/attachments",     native_attachment_remove },
    { "GET",    "/volumed/v1/volumes/{volume}/leases",                native_lease_list },
    { "PUT",    "/volumed/v1/volumes/{volume}/access",                native_lease_access },
    { "POST",   "/volumed/v1/volumes/{volume}/fence",                 native_lease_fence },
    { "GET",    "/volumed/v1/pools",                                  native_pool_list },
    { "POST",   "/volumed/v1/pools",                                  native_pool_create },
    { "GET",    "/volumed/v1/pools/{pool}",                           native_pool_get },
    { "PATCH",  "/volumed/v1/pools/{pool}",                           native_pool_change },
    { "DELETE", "/volumed/v1/pools/{pool}",                           native_pool_remove },
    { "GET",    "/volumed/v1/pools/{pool}/space",                     native_pool_space },
    { "GET",    "/volumed/v1/operations",                             native_operation_list },
    { "GET",    "/volumed/v1/operations/{operation}",                 native_operation_get },
    { "GET",    "/volumed/v1/events",                                 native_event_list },
    { "GET",    "/volumed/v1/events/stream",                          native_event_stream },
    { "GET",    "/volumed/v1/system",                                 native_system_info },
    { "GET",    "/volumed/v1/system/version",                         native_system_version },
    { "POST",   "/volumed/v1/system/check",                           native_system_check },
};
/* clang-format on */

const size_t native_route_count = ARRAY_SIZE(native_routes);
