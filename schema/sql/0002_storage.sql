-- 0002_storage.sql: what storage forgives with.  Forward only; never edit once released.

-- pools

-- quotas

-- sets

-- trash

-- policies

-- leases

-- lineage

-- layered trees

