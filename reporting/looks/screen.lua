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

local many = 5 -- as many columns are more than a phone is wide

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
