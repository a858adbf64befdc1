-- What the structure of a page becomes on a screen: read by Quarto (`filters:` of format html) and by the
-- renderer without it, which hands the same file to the same Pandoc.

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
