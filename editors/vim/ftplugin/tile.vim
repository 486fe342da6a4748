" Comments and indentation of Tile.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:///,://!,:// commentstring=//\ %s
setlocal expandtab shiftwidth=4 softtabstop=4
setlocal cindent cinoptions=L0,(s,m1,j1,J1
let b:undo_ftplugin = 'setlocal comments< commentstring< expandtab< shiftwidth< softtabstop< cindent< cinoptions<'
