-- What the structure of a page becomes on a screen: read by Quarto (`filters:` of format html) and by the
-- renderer without it, which hands the same file to the same Pandoc.

-- Quarto's own scripts stand in the page; nothing else may, and nothing may come from elsewhere. The renderer
-- without Quarto has a policy of its own in page.html, which allows the project's script by its hash.
local policy = "default-src 'none'; script-src 'self' 'unsafe-inline'; script-src-attr 'none'; "
  .. "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
  .. "base-uri 'none'; form-action 'none'"
if quarto then
  quarto.doc.include_text("in-header", '<meta http-equiv="Content-Security-Policy" content="' .. policy .. '">')
end

local many = 4 -- as many columns can be more than a phone is wide

-- A table that is wider than the screen scrolls in its own frame, which the keyboard can reach. The frame has
-- the class, since Quarto makes the table anew (`tbl-colwidths: false`) and drops what stands on it.
function Table(item)
  local classes = pandoc.List({ "table-scroll" })
  if #item.colspecs >= many then classes:insert("wide") end
  local attributes = { { "role", "group" }, { "aria-label", "Table" }, { "tabindex", "0" } }
  return pandoc.Div({ item }, pandoc.Attr("", classes, attributes))
end

-- A mark of evidence stands above the line.
function Link(item)
  if item.classes:includes("evidence") then return pandoc.Superscript({ item }) end
end

-- Text from data that runs from right to left comes between Unicode's marks of isolation: a browser has its own.
local isolates = { ["\u{2068}"] = "<bdi>", ["\u{2069}"] = "</bdi>" }
function Str(item)
  if not item.text:find("\xe2\x81[\xa8\xa9]") then return nil end
  local rest, parts = item.text, pandoc.Inlines({})
  while rest ~= "" do
    local at = rest:find("\xe2\x81[\xa8\xa9]") or #rest + 1
    if at > 1 then parts:insert(pandoc.Str(rest:sub(1, at - 1))) end
    local mark = rest:sub(at, at + 2)
    if mark ~= "" then parts:insert(pandoc.RawInline("html", isolates[mark])) end
    rest = rest:sub(at + 3)
  end
  return parts
end
