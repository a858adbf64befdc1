-- The title block with what a course asks for: the front matter's `course` and `assignment` stand in a line beneath
-- the subtitle, and an author's `student` number after the name. Read by Quarto for both formats, and by the renderer
-- without it; both say `by-author`, in which Quarto keeps what it has no name for as `metadata`.

local between = { pandoc.Space(), pandoc.Str("·"), pandoc.Space() }

local function subtitle(meta)
  local line = pandoc.Inlines({})
  for _, value in ipairs({ meta.course or false, meta.assignment or false }) do
    if value then
      if #line > 0 then line:extend(between) end
      line:extend(pandoc.Inlines(value))
    end
  end
  if #line == 0 or not meta.subtitle then return #line > 0 and line or meta.subtitle end
  local whole = pandoc.Inlines(meta.subtitle)
  whole:insert(pandoc.LineBreak())
  whole:extend(line)
  return whole
end

local function with_number(author)
  local number = author.metadata and author.metadata.student
  if number then
    local name = pandoc.Inlines(author.name.literal)
    name:extend({ pandoc.Space(), pandoc.Str("(" .. pandoc.utils.stringify(number) .. ")") })
    author.name.literal = name
  end
end

function Meta(meta)
  meta.subtitle = subtitle(meta)
  if meta["by-author"] then
    local authors = meta["by-author"]
    for _, author in ipairs(authors) do with_number(author) end
    meta["by-author"] = authors
  end
  return meta
end
