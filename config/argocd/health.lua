-- Health of a PretrainIndex for Argo CD, from a status in kstatus format (docs/status.md).
-- Lua 5.1 and its basic functions: Argo CD gives no more unless asked to.

local function condition(kind)
  for _, found in ipairs(obj.status.conditions) do
    if found.type == kind then
      return found
    end
  end
  return {}
end

local function health(status, message)
  return {status = status, message = message or ""}
end

if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not looked at this generation yet.")
end

local ready = condition("Ready")

-- It goes, or goes on by itself: a version that is mounted meanwhile does not make the one that is asked for Healthy.
if obj.metadata.deletionTimestamp ~= nil or condition("Reconciling").status == "True" then
  return health("Progressing", ready.message)
end

if condition("Stalled").status == "True" then
  return health("Degraded", ready.message)
end

if ready.status == "True" then
  return health("Healthy", ready.message)
end

if ready.reason == "Suspended" then
  return health("Suspended", ready.message)
end

return health("Progressing", ready.message)
