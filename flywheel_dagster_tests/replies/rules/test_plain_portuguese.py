"""Plain Portuguese replies that anybody would expect to be read rightly."""

import pytest

from flywheel_dagster_tests.replies.rules.plain import languages, rows, share_right

_REPLIES = """
= positive high none
Tenho interesse! Podemos conversar na próxima semana?
Parece muito interessante, conte-me mais.
Me conta mais, por favor.
Gostaria de saber mais.
Sim, vamos marcar uma reunião.
Terça-feira às 15h está ótimo para mim.
Quinta às 10h funciona para você?
Pode me ligar amanhã de manhã.
Liga-me amanhã à tarde.
Quando podemos falar?
Estou disponível na segunda-feira.
Envie-me mais informações, por favor.
Me manda mais detalhes.
Pode enviar uma apresentação?
Gostaria de ver uma demonstração.
Integra com o Salesforce?
Onde ficam guardados os dados?
Quanto tempo demora a implementação?
Como funciona exatamente?
Qual é a diferença para os concorrentes?
Vocês têm clientes no setor da saúde?
É exatamente o que estamos procurando.
É mesmo isto que procuramos.
Temos interesse sim, quais são os próximos passos?
Vamos conversar na quarta?
Sem problema, falamos amanhã.
Fiquei interessada, como fazemos?
Combinado, sexta às 9h.
Quanto custa?
Qual o preço?
Qual é o valor da mensalidade?
Pode me passar os valores?
Gostaria de receber um orçamento.
O senhor pode me enviar uma proposta?
Adorei a ideia, vamos agendar uma chamada.
Tem período de teste gratuito?
Bora marcar um papo!
Boa tarde, chegou em boa hora. Teria um tempinho na quarta para nos explicar como funciona?
Isso seria útil para nós. O que está incluído no serviço?
E como é que se instala?
Sim, por favor, mande o link da reunião.
Olha, estamos mesmo atrás de algo assim. Vamos falar?
Têm algum caso de sucesso na área da hotelaria?
Queria experimentar antes de decidir. Há uma versão de teste?
Curti a ideia! Quando a gente conversa?
Quanto fica para uma equipe de dez pessoas?
Por mim tudo bem, segunda às nove.
Está em conformidade com o RGPD?
Olá, acho uma boa ideia. Liga-me amanhã de manhã.
Tenho interesse. O que precisam de mim?
Com gosto, façamos uma videochamada curta.
Vocês também oferecem em inglês?
Com que rapidez dá para implementar?
Na verdade estamos procurando um fornecedor novo. Quando fica bom para você?
Combinado, marque uma reunião comigo.
Gostaria de saber como vocês protegem os dados.
Você tem algum vídeo ou folheto?
A partir de quantos usuários há desconto?
Fiquei curioso, conta mais.
Sim, por favor, mande o material por e-mail.
Quem são os vossos clientes em Angola?
Podemos discutir isso na semana que vem, sem problema.
É exatamente o meu tema! Quando começamos?
Parece bom, como é o processo?
Mandem o contrato, vamos fechar.
Segunda está bom para mim.
A partir das 16h estou disponível.
Sim, nos interessa, mande alguma coisa.
Funciona também no celular?
É preciso formação para usar?
Mostre-me o que tem.
= positive - none
Estamos muito interessados na vossa solução.
Com certeza!
Parece ótimo.
Que boa ideia!
Do que se trata?
Conte comigo.
Ótima oferta!
= positive high competitor
Já temos fornecedor, mas não estamos contentes. O que vocês oferecem?
= neutral low none
Obrigado.
Obrigada pela informação.
Recebido, obrigado.
Ok, anotado.
Está bem, obrigado.
Certo, agradeço o contato.
Tomei nota.
Visto, obrigado.
Muito obrigado por escrever.
Perfeito, recebido.
Obrigado pelo aviso.
Anotado.
Ok, já vi.
Obrigado pelo seu e-mail, já li.
Muito obrigado, cumprimentos.
Obrigado pelos documentos, já recebi.
Fico ciente.
Ok, obrigado eu.
Tudo claro, obrigado e bom dia.
= neutral medium -
Mantenha-me informado, por favor.
Talvez, vou pensar no assunto.
Vou dar uma olhada e te aviso.
Ainda não sei.
Deixe-me pensar.
Por enquanto não precisamos, mas vou guardar o seu contato.
De momento não temos necessidade, mas fica para uma próxima oportunidade.
Vejo com calma e depois digo algo.
Pode ser, mas não prometo nada.
Me avisem se houver novidades.
Vou guardar a sua mensagem.
Pode ser que sim. Escrevo quando tiver algo mais concreto.
Ainda não estou convencido, tenho de pensar.
Não sei dizer agora, talvez.
Avise-me quando houver novidades, por favor.
Se algo mudar, entro em contato com você.
Vou dar uma vista de olhos.
Vamos falar disso internamente em breve.
Quando tiver oportunidade entro em contato.
Vamos estudar e damos uma resposta.
Fico com o e-mail guardado.
Tenho de ver isso com calma.
= neutral medium timing
Agora não é um bom momento, fale comigo em março.
Neste momento não é possível, talvez no próximo trimestre.
Por enquanto não, quem sabe no ano que vem.
Estamos muito ocupados, volte a contactar-nos em setembro.
Este ano não, talvez no próximo.
Me procure daqui a três meses.
Agora não consigo, podemos falar depois das férias?
De momento não temos tempo, contacte-nos em janeiro.
Estou sem tempo agora, me chama no mês que vem.
Neste momento não é prioridade, voltamos a falar no segundo semestre.
Estamos em plena mudança, é melhor falarmos em maio.
Antes da Páscoa não consigo ver nada.
Agora não, mas me procure em janeiro.
Este trimestre está cheio, escreva-nos no próximo.
Não é o momento, talvez no ano que vem.
Ando numa correria, deixamos para o mês que vem?
Por agora temos outras prioridades. Voltem a contactar-nos no outono.
Estamos em época de férias, escrevam de novo em setembro.
Esta semana é impossível, talvez na próxima.
Antes do fim do ano não conseguimos, falamos em fevereiro.
Em princípio sim, mas não neste trimestre.
O assunto foi adiado para o ano que vem.
Estou lotado até a Páscoa, depois pode me procurar de novo.
Estamos no fecho do ano, volte a ligar em fevereiro.
Só será interessante a partir do terceiro trimestre.
Agora estou em viagem, falemos em junho.
= neutral medium authority
Preciso falar com o meu chefe primeiro.
Tenho de consultar a direção.
Quem decide é a diretoria.
Vou levar para o meu sócio e te respondo.
Não sou eu que decido, tenho que ver com a gerência.
Tem de ser aprovado pela gerência, vou apresentar e aviso.
Tenho de falar com a minha mulher, é ela que trata das contas.
Comento com o chefe e te falo.
Primeiro tenho que consultar a diretoria.
Sem a aprovação do meu chefe não posso fazer nada, vou perguntar.
Vou apresentar na próxima reunião da equipe.
Quem decide isso é o departamento de compras.
Preciso da autorização do meu superior para isso.
= neutral - -
Fale com a Maria, ela é a responsável por isso.
O responsável é o João Silva.
Encaminhei o seu e-mail para o setor de compras.
Entre em contato com o departamento de marketing.
Vou passar sua mensagem para minha colega.
Por favor contacte o meu colega Pedro, ele trata deste assunto.
Para isso escreva para compras@example.com
Quem cuida disso é a minha colega Laura, passo o contato dela.
Reencaminhei a sua proposta para o departamento de informática.
Isso é com os Recursos Humanos, pergunte lá por favor.
Envie a sua solicitação para info@example.com.
A responsável seria a doutora Gil.
A senhora Lopes vai entrar em contato, passei seu e-mail para ela.
Coloco o senhor Bravo em cópia, que trata deste tema.
Por favor contacte o nosso departamento de marketing.
O melhor é falar com o senhor Dias.
Quem trata disso é a sede em Lisboa.
= neutral none -
Você falou com a pessoa errada.
Não sou a pessoa certa.
Não sou eu que trato desse assunto.
O Carlos já não trabalha aqui.
A Ana saiu da empresa.
Acho que este e-mail não era para mim.
Não trabalho nessa área, acho que houve engano.
Este não é o contato certo.
O senhor Ramos não faz mais parte da empresa.
Eu não trabalho nesse departamento.
O senhor Vargas aposentou-se em maio.
Deve haver uma confusão, não sou quem procura.
Eu sou só o porteiro, não sei dizer nada sobre isso.
Este endereço já não é do senhor Fontes.
Já não estou nessa empresa desde março.
= neutral none none
Estou fora do escritório até 15 de agosto.
Estou de férias até segunda-feira. Em caso de urgência, contacte a minha colega.
Esta é uma resposta automática.
Obrigado pela sua mensagem. Encontro-me ausente e responderei assim que regressar.
Recebemos a sua solicitação e responderemos o mais breve possível.
Estou de licença-maternidade.
Obrigado pelo seu e-mail. Estarei ausente até 7 de janeiro, sem acesso ao e-mail.
O nosso escritório estará fechado de 24 de dezembro a 1 de janeiro.
Resposta automática: hoje estou fora e só lerei os meus e-mails na quinta-feira.
Estou em viagem de trabalho até quarta-feira, com acesso limitado ao e-mail.
Estou de férias e volto no dia 12.
= negative none not_interested
Não tenho interesse.
Não temos interesse, obrigado.
Obrigado, mas não tenho interesse.
Sem interesse.
Não estou interessado.
Não estamos interessados, obrigada.
Não nos interessa.
Não me interessa.
Não, obrigado.
Não obrigada
Não.
Agradeço muito a proposta, mas não é para nós.
Muito obrigado pelo contato, mas vamos declinar.
Parece interessante, mas não é o que procuramos.
Não se encaixa no nosso perfil.
Infelizmente não vamos avançar. Boa sorte!
Decidimos não seguir em frente.
Agradeço, mas dispenso.
Prefiro não.
Não faz sentido para nós.
Infelizmente não temos interesse no momento, sucesso para vocês.
Não queremos, obrigado.
Agradeço a mensagem, mas não nos interessa de todo.
Muito gentil, mas não temos mesmo interesse.
A proposta é boa, mas decidimos não avançar.
Não, obrigado, não me interessa o que vendem.
Produto interessante, mas não é para uma empresa como a nossa.
A gente não quer, valeu.
Não acho que seja para nós. Abraço.
Fica para a próxima encarnação.
Na verdade não estamos interessados neste tipo de serviço.
Não temos interesse nem agora nem mais tarde.
Olá, isto não é para mim. Obrigado na mesma!
Abordagem interessante, mas não se encaixa na nossa estratégia.
Não quero isso.
Não, não queremos.
Preferimos não colaborar.
Após análise interna decidimos recusar a vossa oferta.
Obrigada, mas não estou interessada e também não quero reunião.
Não é preciso reunião, não nos interessa.
Muito obrigado pela ótima oferta, mas temos de recusar.
Esse tipo de solução não nos atrai.
= negative none no_need
Não precisamos.
Não precisamos disso, obrigado.
Não temos necessidade.
Fazemos tudo internamente.
Temos uma equipe própria para isso.
Somos uma empresa muito pequena para isso.
Não há necessidade.
Já temos isso resolvido.
Nós mesmos fazemos isso.
Não preciso desse serviço.
Isso nós resolvemos em casa.
Não usamos nada disso no nosso negócio.
Não vemos utilidade para o nosso caso.
Não vejo necessidade de algo assim na nossa empresa.
Disso cuida a nossa própria equipe de TI.
Não utilizamos nada parecido nem pensamos em fazê-lo.
= negative none competitor
Já trabalhamos com outro fornecedor.
Já temos fornecedor.
Já usamos o HubSpot e estamos satisfeitos.
Estamos satisfeitos com o nosso fornecedor atual.
Temos contrato com outra empresa.
Optamos por um concorrente.
Acabamos de assinar com outra empresa.
Obrigado, mas estamos com a Totvs e não pensamos em mudar.
Uma agência já trata disso.
Já contamos com um parceiro fixo nesse tema.
Estamos há anos com a SAP e não queremos mudar.
= negative none price
É muito caro.
É caro demais para nós.
Não temos orçamento.
Não temos verba para isso.
Está fora do nosso orçamento.
O preço é muito alto.
Não temos dinheiro para isso.
Não podemos pagar isso.
Com esses preços não dá.
Foge do nosso orçamento, então vamos deixar.
Não tem grana para isso.
Não vamos gastar dinheiro com isso.
Por esse preço, de jeito nenhum.
= negative none -
Pare de me escrever.
Parem de me mandar e-mails.
Não me escreva mais.
Não me contacte mais.
Não entre mais em contato.
Quero cancelar a inscrição.
Descadastrar
Me descadastre, por favor.
Me remova da lista.
Remova-me da vossa lista.
Retire meu e-mail da sua lista.
Apague os meus dados.
Me tira dessa lista
Exclua meus dados da sua base.
Não quero mais receber e-mails.
Não desejo receber mais mensagens vossas.
Cancelar subscrição
Por favor, não enviem mais e-mails.
Nos termos da LGPD, solicito a exclusão dos meus dados.
Onde conseguiram o meu e-mail?
Isso é spam. Vou denunciar.
Que chatos, já disse que não.
É a terceira vez que me escrevem.
Ótimo, mais um e-mail automático. Era só o que faltava.
Que original, nem sabe o meu nome.
Não me faça perder tempo.
Vou acionar meu advogado se continuarem.
Me deixem em paz.
Chega de e-mails!
Tirem-me da vossa lista de uma vez.
Apaguem o meu e-mail da base de dados.
Não quero mais saber de vocês.
Retiro o meu consentimento para receber comunicações.
Estão me fazendo perder tempo.
Quantas vezes tenho que dizer que não?
Mais uma mensagem copiada e colada, que alegria.
Não mandem mais publicidade para este endereço.
Nunca me inscrevi nisso. Quem deu o meu e-mail?
Para o nosso tamanho não compensa.
Repito: tirem-me da lista!
Parem de mandar publicidade.
Já disse três vezes que não.
Isto é uma vergonha.
Acabou, chega de mensagens.
Não queremos ser contactados novamente.
Poderiam remover-me da vossa lista de e-mails, por favor?
Como faço para cancelar a assinatura?
Que ótimo, mais um especialista para salvar o meu negócio.
"""
_ROWS = rows(_REPLIES)


def test_every_plain_reply_has_its_label():
    _, wrong = share_right(_ROWS, "sentiment_label")
    assert wrong == []


@pytest.mark.parametrize("field", ["interest_level", "objection_type"])
def test_interest_and_objection_are_right_nineteen_times_in_twenty(field):
    share, wrong = share_right(_ROWS, field)
    assert share >= 0.95, wrong


def test_the_language_is_known():
    assert languages(_ROWS).count("pt") >= 0.95 * len(_ROWS)
