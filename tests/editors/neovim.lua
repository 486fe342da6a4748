-- Neovim 0.7: diagnostics that are pushed, columns in UTF-16, edits as the user makes them.

local server = assert(os.getenv("TILE_LSP"), "TILE_LSP names the server")
local folder = vim.fn.tempname()
vim.fn.mkdir(folder, "p")
local path = folder .. "/main.tile"
vim.fn.writefile({
    "fn scale(x: f32, by: f32) -> f32 { x * by }",
    'test "é中🙂" { let a = scale(1.0, by: 2.0); nowhere(a); }',
}, path)

local function fail(what, got)
    io.stderr:write("neovim: " .. what .. ": " .. vim.inspect(got) .. "\n")
    vim.cmd("cquit 1")
end

local function expect(what, got, want)
    if not vim.deep_equal(got, want) then fail(what .. ", wanted " .. vim.inspect(want), got) end
end

local function wait(what, is_there)
    if not vim.wait(30000, is_there, 20) then fail("waited in vain for " .. what, vim.diagnostic.get(0)) end
end

vim.cmd("edit " .. path)
local client = vim.lsp.start_client({ name = "tile", cmd = { server }, root_dir = folder })
vim.lsp.buf_attach_client(0, client)

wait("the first finding", function() return #vim.diagnostic.get(0) == 1 end)
local found = vim.diagnostic.get(0)[1]
local line = vim.api.nvim_buf_get_lines(0, 1, 2, true)[1]
expect("what is underlined", line:sub(found.col + 1, found.end_col), "nowhere")

local function ask(method, extra)
    local params = vim.tbl_extend("force", vim.lsp.util.make_position_params(0, "utf-16"), extra or {})
    local answer = vim.lsp.buf_request_sync(0, method, params, 30000)
    if not answer or not answer[client] or answer[client].err then fail(method, answer) end
    return answer[client].result
end

-- On the `a` of `nowhere(a)`, behind the wide characters.
vim.api.nvim_win_set_cursor(0, { 2, (line:find("a); }", 1, true)) - 1 })
expect("uses of a local", #ask("textDocument/documentHighlight"), 2)
vim.lsp.util.apply_workspace_edit(ask("textDocument/rename", { newName = "scaled" }), "utf-16")
expect(
    "the renamed line",
    vim.api.nvim_buf_get_lines(0, 1, 2, true)[1],
    'test "é中🙂" { let scaled = scale(1.0, by: 2.0); nowhere(scaled); }'
)

-- Typing, undoing, and typing again: the server has the text that the editor has.
vim.cmd("%s/nowhere/print/")
wait("no finding", function() return #vim.diagnostic.get(0) == 0 end)
vim.cmd("undo")
wait("the finding again", function() return #vim.diagnostic.get(0) == 1 end)

local can = vim.lsp.get_client_by_id(client).server_capabilities
vim.api.nvim_win_set_cursor(0, { 2, (vim.api.nvim_get_current_line():find("scale(", 1, true)) - 1 })
if can.hoverProvider then
    local hover = ask("textDocument/hover")
    if not vim.inspect(hover):find("scale", 1, true) then fail("hover", hover) end
end
if can.completionProvider then
    local items = vim.lsp.util.extract_completion_items(ask("textDocument/completion"))
    local is_there = false
    for _, it in ipairs(items) do is_there = is_there or it.label:find("^scale") ~= nil end
    if not is_there then fail("completion", #items) end
end
local definition = ask("textDocument/definition")
expect("where the function is", (definition[1].range or definition[1].targetSelectionRange).start, { line = 0, character = 3 })

print("neovim: ok\n")
vim.cmd("qall!")
